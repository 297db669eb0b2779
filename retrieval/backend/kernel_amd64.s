#include "textflag.h"

// The products of package backend. Both kernels compute, for a tile of mr
// database rows by nr queries and one block of features,
//
//	acc[i][j] = fma chain over p = 0 … k-1 of a[i][p]·b[p][j]
//	c[i][j]   = acc[i][j]             first block
//	c[i][j]   = c[i][j] + acc[i][j]   later blocks
//
// with a row-major (1,024 bytes = 256 floats from row to row), b in panels of
// nr floats a feature, c row-major without gaps. All accumulators live in registers.

// func tileAVX512(k int, a, b, c *float32, first bool)
// 14 × 32: Z0…Z27 accumulate, Z28 and Z29 hold b, Z30 and Z31 a.
#define ROW512(p, i, t, c0, c1) \
	VBROADCASTSS (i*1024+p*4)(AX), t; \
	VFMADD231PS  Z28, t, c0;          \
	VFMADD231PS  Z29, t, c1

#define STEP512(p) \
	VMOVUPS (p*128)(BX), Z28;        \
	VMOVUPS (p*128+64)(BX), Z29;     \
	ROW512(p, 0, Z30, Z0, Z1);       \
	ROW512(p, 1, Z31, Z2, Z3);       \
	ROW512(p, 2, Z30, Z4, Z5);       \
	ROW512(p, 3, Z31, Z6, Z7);       \
	ROW512(p, 4, Z30, Z8, Z9);       \
	ROW512(p, 5, Z31, Z10, Z11);     \
	ROW512(p, 6, Z30, Z12, Z13);     \
	ROW512(p, 7, Z31, Z14, Z15);     \
	ROW512(p, 8, Z30, Z16, Z17);     \
	ROW512(p, 9, Z31, Z18, Z19);     \
	ROW512(p, 10, Z30, Z20, Z21);    \
	ROW512(p, 11, Z31, Z22, Z23);    \
	ROW512(p, 12, Z30, Z24, Z25);    \
	ROW512(p, 13, Z31, Z26, Z27)

#define ZERO512(c0, c1) \
	VPXORD c0, c0, c0; \
	VPXORD c1, c1, c1

#define STORE512(i, c0, c1) \
	VMOVUPS c0, (i*128)(DI); \
	VMOVUPS c1, (i*128+64)(DI)

#define ADD512(i, c0, c1) \
	VADDPS (i*128)(DI), c0, c0;    \
	VADDPS (i*128+64)(DI), c1, c1

TEXT ·tileAVX512(SB), NOSPLIT, $0-33
	MOVQ k+0(FP), CX
	MOVQ a+8(FP), AX
	MOVQ b+16(FP), BX
	MOVQ c+24(FP), DI
	ZERO512(Z0, Z1)
	ZERO512(Z2, Z3)
	ZERO512(Z4, Z5)
	ZERO512(Z6, Z7)
	ZERO512(Z8, Z9)
	ZERO512(Z10, Z11)
	ZERO512(Z12, Z13)
	ZERO512(Z14, Z15)
	ZERO512(Z16, Z17)
	ZERO512(Z18, Z19)
	ZERO512(Z20, Z21)
	ZERO512(Z22, Z23)
	ZERO512(Z24, Z25)
	ZERO512(Z26, Z27)

	MOVQ CX, DX
	SHRQ $2, DX
	JZ   rest

four:
	STEP512(0)
	STEP512(1)
	STEP512(2)
	STEP512(3)
	ADDQ $16, AX
	ADDQ $512, BX
	DECQ DX
	JNZ  four

rest:
	ANDQ $3, CX
	JZ   out

one:
	STEP512(0)
	ADDQ $4, AX
	ADDQ $128, BX
	DECQ CX
	JNZ  one

out:
	MOVBLZX first+32(FP), DX
	TESTL   DX, DX
	JNZ     store
	ADD512(0, Z0, Z1)
	ADD512(1, Z2, Z3)
	ADD512(2, Z4, Z5)
	ADD512(3, Z6, Z7)
	ADD512(4, Z8, Z9)
	ADD512(5, Z10, Z11)
	ADD512(6, Z12, Z13)
	ADD512(7, Z14, Z15)
	ADD512(8, Z16, Z17)
	ADD512(9, Z18, Z19)
	ADD512(10, Z20, Z21)
	ADD512(11, Z22, Z23)
	ADD512(12, Z24, Z25)
	ADD512(13, Z26, Z27)

store:
	STORE512(0, Z0, Z1)
	STORE512(1, Z2, Z3)
	STORE512(2, Z4, Z5)
	STORE512(3, Z6, Z7)
	STORE512(4, Z8, Z9)
	STORE512(5, Z10, Z11)
	STORE512(6, Z12, Z13)
	STORE512(7, Z14, Z15)
	STORE512(8, Z16, Z17)
	STORE512(9, Z18, Z19)
	STORE512(10, Z20, Z21)
	STORE512(11, Z22, Z23)
	STORE512(12, Z24, Z25)
	STORE512(13, Z26, Z27)
	VZEROUPPER
	RET

// func aboveAVX512(c, limit *float32, masks *uint32) (any uint32)
// Bit j of masks[i]: c[i][j] > limit[j]; any is all masks or-ed.
TEXT ·aboveAVX512(SB), NOSPLIT, $0-28
	MOVQ    c+0(FP), DI
	MOVQ    limit+8(FP), SI
	MOVQ    masks+16(FP), BX
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	XORL    AX, AX
	MOVQ    $14, CX

row:
	VCMPPS  $0x11, (DI), Z0, K1    // limit < c, false for NaN
	VCMPPS  $0x11, 64(DI), Z1, K2
	KMOVW   K1, R8
	KMOVW   K2, R9
	SHLL    $16, R9
	ORL     R9, R8
	MOVL    R8, (BX)
	ORL     R8, AX
	ADDQ    $128, DI
	ADDQ    $4, BX
	DECQ    CX
	JNZ     row
	MOVL    AX, any+24(FP)
	VZEROUPPER
	RET

// func beyondAVX512(c, cols, rows *float32, masks *uint32) (any uint32)
// Bit j of masks[i]: c[i][j] > cols[j] or c[i][j] > rows[i]; any is all masks
// or-ed.
TEXT ·beyondAVX512(SB), NOSPLIT, $0-36
	MOVQ    c+0(FP), DI
	MOVQ    cols+8(FP), SI
	MOVQ    rows+16(FP), DX
	MOVQ    masks+24(FP), BX
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	XORL    AX, AX
	MOVQ    $14, CX

row:
	VBROADCASTSS (DX), Z2
	VMINPS       Z2, Z0, Z3
	VMINPS       Z2, Z1, Z4
	VCMPPS       $0x11, (DI), Z3, K1 // limit < c, false for NaN
	VCMPPS       $0x11, 64(DI), Z4, K2
	KMOVW        K1, R8
	KMOVW        K2, R9
	SHLL         $16, R9
	ORL          R9, R8
	MOVL         R8, (BX)
	ORL          R8, AX
	ADDQ         $128, DI
	ADDQ         $4, DX
	ADDQ         $4, BX
	DECQ         CX
	JNZ          row
	MOVL         AX, any+32(FP)
	VZEROUPPER
	RET

// func tileAVX2(k int, a, b, c *float32, first bool)
// 6 × 16: Y0…Y11 accumulate, Y12 and Y13 hold b, Y14 and Y15 a.
#define ROW256(p, i, t, c0, c1) \
	VBROADCASTSS (i*1024+p*4)(AX), t; \
	VFMADD231PS  Y12, t, c0;          \
	VFMADD231PS  Y13, t, c1

#define STEP256(p) \
	VMOVUPS (p*64)(BX), Y12;       \
	VMOVUPS (p*64+32)(BX), Y13;    \
	ROW256(p, 0, Y14, Y0, Y1);     \
	ROW256(p, 1, Y15, Y2, Y3);     \
	ROW256(p, 2, Y14, Y4, Y5);     \
	ROW256(p, 3, Y15, Y6, Y7);     \
	ROW256(p, 4, Y14, Y8, Y9);     \
	ROW256(p, 5, Y15, Y10, Y11)

#define ZERO256(c0, c1) \
	VXORPS c0, c0, c0; \
	VXORPS c1, c1, c1

#define STORE256(i, c0, c1) \
	VMOVUPS c0, (i*64)(DI); \
	VMOVUPS c1, (i*64+32)(DI)

#define ADD256(i, c0, c1) \
	VADDPS (i*64)(DI), c0, c0;    \
	VADDPS (i*64+32)(DI), c1, c1

TEXT ·tileAVX2(SB), NOSPLIT, $0-33
	MOVQ k+0(FP), CX
	MOVQ a+8(FP), AX
	MOVQ b+16(FP), BX
	MOVQ c+24(FP), DI
	ZERO256(Y0, Y1)
	ZERO256(Y2, Y3)
	ZERO256(Y4, Y5)
	ZERO256(Y6, Y7)
	ZERO256(Y8, Y9)
	ZERO256(Y10, Y11)

	MOVQ CX, DX
	SHRQ $2, DX
	JZ   rest

four:
	STEP256(0)
	STEP256(1)
	STEP256(2)
	STEP256(3)
	ADDQ $16, AX
	ADDQ $256, BX
	DECQ DX
	JNZ  four

rest:
	ANDQ $3, CX
	JZ   out

one:
	STEP256(0)
	ADDQ $4, AX
	ADDQ $64, BX
	DECQ CX
	JNZ  one

out:
	MOVBLZX first+32(FP), DX
	TESTL   DX, DX
	JNZ     store
	ADD256(0, Y0, Y1)
	ADD256(1, Y2, Y3)
	ADD256(2, Y4, Y5)
	ADD256(3, Y6, Y7)
	ADD256(4, Y8, Y9)
	ADD256(5, Y10, Y11)

store:
	STORE256(0, Y0, Y1)
	STORE256(1, Y2, Y3)
	STORE256(2, Y4, Y5)
	STORE256(3, Y6, Y7)
	STORE256(4, Y8, Y9)
	STORE256(5, Y10, Y11)
	VZEROUPPER
	RET

// func aboveAVX2(c, limit *float32, masks *uint32) (any uint32)
TEXT ·aboveAVX2(SB), NOSPLIT, $0-28
	MOVQ    c+0(FP), DI
	MOVQ    limit+8(FP), SI
	MOVQ    masks+16(FP), BX
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	XORL    AX, AX
	MOVQ    $6, CX

row:
	VCMPPS    $0x11, (DI), Y0, Y2    // limit < c, false for NaN
	VCMPPS    $0x11, 32(DI), Y1, Y3
	VMOVMSKPS Y2, R8
	VMOVMSKPS Y3, R9
	SHLL      $8, R9
	ORL       R9, R8
	MOVL      R8, (BX)
	ORL       R8, AX
	ADDQ      $64, DI
	ADDQ      $4, BX
	DECQ      CX
	JNZ       row
	MOVL      AX, any+24(FP)
	VZEROUPPER
	RET

// func beyondAVX2(c, cols, rows *float32, masks *uint32) (any uint32)
TEXT ·beyondAVX2(SB), NOSPLIT, $0-36
	MOVQ    c+0(FP), DI
	MOVQ    cols+8(FP), SI
	MOVQ    rows+16(FP), DX
	MOVQ    masks+24(FP), BX
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	XORL    AX, AX
	MOVQ    $6, CX

row:
	VBROADCASTSS (DX), Y2
	VMINPS       Y2, Y0, Y3
	VMINPS       Y2, Y1, Y4
	VCMPPS       $0x11, (DI), Y3, Y3 // limit < c, false for NaN
	VCMPPS       $0x11, 32(DI), Y4, Y4
	VMOVMSKPS    Y3, R8
	VMOVMSKPS    Y4, R9
	SHLL         $8, R9
	ORL          R9, R8
	MOVL         R8, (BX)
	ORL          R8, AX
	ADDQ         $64, DI
	ADDQ         $4, DX
	ADDQ         $4, BX
	DECQ         CX
	JNZ          row
	MOVL         AX, any+32(FP)
	VZEROUPPER
	RET
