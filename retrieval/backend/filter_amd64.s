#include "textflag.h"

// The convolutions of package backend. Both kernels compute, for a tile of
// pixels by outputs,
//
//	acc[i][j] = bias[j], then a fma chain over the taps t and the features c
//	            in[i*step + offset[t][0] + c] · weights[offset[t][1] + c][j]
//	out[i*outStep + j] = acc[i][j], plus what was there, at least zero, as asked
//
// The fields of the argument, in bytes (struct filterTile in filter.go):
#define IN       0
#define STEP     8
#define OFFSETS 16
#define TAPS    24
#define DEPTH   32
#define WEIGHTS 40
#define BIAS    48
#define OUT     56
#define OUTSTEP 64
#define PIXELS  72
#define ADD     80
#define RELU    88
#define NARROW  96

// func filterAVX512(t *filterTile)
// 14 pixels × 32 outputs: Z0…Z27 accumulate, Z28 and Z29 hold weights, Z30 and
// Z31 inputs. R8, R9 and R10 point to pixels 0, 5 and 10; R11 is one pixel's
// step and R12 three. Of at most four or seven pixels, or sixteen outputs, no
// more are computed.
#define PIX512(addr, t, c0, c1) \
	VBROADCASTSS addr, t;    \
	VFMADD231PS  Z28, t, c0; \
	VFMADD231PS  Z29, t, c1

// PIX16 is PIX512 for the first sixteen outputs.
#define PIX16(addr, t, c0, c1) \
	VBROADCASTSS addr, t;   \
	VFMADD231PS  Z28, t, c0

// What PIX does to pixels 0 to 3, 0 to 6, and 7 to 13.
#define FOUR512(PIX, p) \
	PIX((p*4)(R8), Z30, Z0, Z1); \
	PIX((p*4)(R8)(R11*1), Z31, Z2, Z3); \
	PIX((p*4)(R8)(R11*2), Z30, Z4, Z5); \
	PIX((p*4)(R8)(R12*1), Z31, Z6, Z7)

#define SEVEN512(PIX, p) \
	FOUR512(PIX, p); \
	PIX((p*4)(R8)(R11*4), Z30, Z8, Z9); \
	PIX((p*4)(R9), Z31, Z10, Z11); \
	PIX((p*4)(R9)(R11*1), Z30, Z12, Z13)

#define OTHERS512(PIX, p) \
	PIX((p*4)(R9)(R11*2), Z31, Z14, Z15); \
	PIX((p*4)(R9)(R12*1), Z30, Z16, Z17); \
	PIX((p*4)(R9)(R11*4), Z31, Z18, Z19); \
	PIX((p*4)(R10), Z30, Z20, Z21); \
	PIX((p*4)(R10)(R11*1), Z31, Z22, Z23); \
	PIX((p*4)(R10)(R11*2), Z30, Z24, Z25); \
	PIX((p*4)(R10)(R12*1), Z31, Z26, Z27)

// HALF512 is FEATURE512 for the first seven pixels.
#define HALF512(p) \
	VMOVUPS (p*128)(BX), Z28;    \
	VMOVUPS (p*128+64)(BX), Z29; \
	SEVEN512(PIX512, p)

// QUARTER512 is FEATURE512 for the first four pixels.
#define QUARTER512(p) \
	VMOVUPS (p*128)(BX), Z28;    \
	VMOVUPS (p*128+64)(BX), Z29; \
	FOUR512(PIX512, p)

#define FEATURE512(p) \
	HALF512(p); \
	OTHERS512(PIX512, p)

// NARROW512 is FEATURE512 for the first sixteen outputs.
#define NARROW512(p) \
	VMOVUPS (p*128)(BX), Z28; \
	SEVEN512(PIX16, p);       \
	OTHERS512(PIX16, p)

#define START512(c0, c1) \
	VMOVAPS Z28, c0; \
	VMOVAPS Z29, c1

#define ADD512(c0, c1) \
	VADDPS (R8), c0, c0;   \
	VADDPS 64(R8), c1, c1; \
	ADDQ   R11, R8;        \
	DECQ   R9;             \
	JZ     relu

#define RELU512(c0, c1) \
	VMAXPS Z28, c0, c0; \
	VMAXPS Z28, c1, c1

#define STORE512(c0, c1) \
	VMOVUPS c0, (DI);   \
	VMOVUPS c1, 64(DI); \
	ADDQ    R11, DI;    \
	DECQ    CX;         \
	JZ      done

TEXT ·filterAVX512(SB), NOSPLIT, $0-8
	MOVQ    t+0(FP), AX
	MOVQ    BIAS(AX), BX
	VMOVUPS (BX), Z28
	VMOVUPS 64(BX), Z29
	START512(Z0, Z1)
	START512(Z2, Z3)
	START512(Z4, Z5)
	START512(Z6, Z7)
	START512(Z8, Z9)
	START512(Z10, Z11)
	START512(Z12, Z13)
	START512(Z14, Z15)
	START512(Z16, Z17)
	START512(Z18, Z19)
	START512(Z20, Z21)
	START512(Z22, Z23)
	START512(Z24, Z25)
	START512(Z26, Z27)
	MOVQ OUT(AX), DI
	MOVQ OUTSTEP(AX), R11
	MOVQ PIXELS(AX), CX

fetch: // while the sums are computed, what they are added or written to comes in
	PREFETCHT0 (DI)
	PREFETCHT0 64(DI)
	ADDQ       R11, DI
	DECQ       CX
	JNZ        fetch
	MOVQ OFFSETS(AX), SI
	MOVQ TAPS(AX), DX
	MOVQ STEP(AX), R11
	LEAQ (R11)(R11*2), R12
	LEAQ (R12)(R11*2), R13

	CMPQ PIXELS(AX), $4
	JLE  quarter
	CMPQ PIXELS(AX), $7
	JLE  half
	CMPQ NARROW(AX), $0
	JEQ  tap

narrow: // at most sixteen outputs: half the work
	MOVQ IN(AX), R8
	ADDQ (SI), R8
	MOVQ WEIGHTS(AX), BX
	ADDQ 8(SI), BX
	ADDQ $16, SI
	LEAQ (R8)(R13*1), R9
	LEAQ (R8)(R13*2), R10
	MOVQ DEPTH(AX), CX

narrowone:
	NARROW512(0)
	ADDQ $4, R8
	ADDQ $4, R9
	ADDQ $4, R10
	ADDQ $128, BX
	DECQ CX
	JNZ  narrowone
	DECQ DX
	JNZ  narrow
	JMP  sums

quarter: // at most four pixels
	MOVQ IN(AX), R8
	ADDQ (SI), R8
	MOVQ WEIGHTS(AX), BX
	ADDQ 8(SI), BX
	ADDQ $16, SI
	MOVQ DEPTH(AX), CX
	MOVQ CX, DI
	SHRQ $2, DI
	JZ   quarterrest

quarterfour:
	QUARTER512(0)
	QUARTER512(1)
	QUARTER512(2)
	QUARTER512(3)
	ADDQ $16, R8
	ADDQ $512, BX
	DECQ DI
	JNZ  quarterfour

quarterrest:
	ANDQ $3, CX
	JZ   quarternext

quarterone:
	QUARTER512(0)
	ADDQ $4, R8
	ADDQ $128, BX
	DECQ CX
	JNZ  quarterone

quarternext:
	DECQ DX
	JNZ  quarter
	JMP  sums

half: // at most seven pixels: half the work
	MOVQ IN(AX), R8
	ADDQ (SI), R8
	MOVQ WEIGHTS(AX), BX
	ADDQ 8(SI), BX
	ADDQ $16, SI
	LEAQ (R8)(R13*1), R9
	MOVQ DEPTH(AX), CX
	MOVQ CX, DI
	SHRQ $2, DI
	JZ   halfrest

halffour:
	HALF512(0)
	HALF512(1)
	HALF512(2)
	HALF512(3)
	ADDQ $16, R8
	ADDQ $16, R9
	ADDQ $512, BX
	DECQ DI
	JNZ  halffour

halfrest:
	ANDQ $3, CX
	JZ   halfnext

halfone:
	HALF512(0)
	ADDQ $4, R8
	ADDQ $4, R9
	ADDQ $128, BX
	DECQ CX
	JNZ  halfone

halfnext:
	DECQ DX
	JNZ  half
	JMP  sums

tap:
	MOVQ IN(AX), R8
	ADDQ (SI), R8
	MOVQ WEIGHTS(AX), BX
	ADDQ 8(SI), BX
	ADDQ $16, SI
	LEAQ (R8)(R13*1), R9
	LEAQ (R8)(R13*2), R10
	MOVQ DEPTH(AX), CX
	MOVQ CX, DI
	SHRQ $2, DI
	JZ   rest

four:
	FEATURE512(0)
	FEATURE512(1)
	FEATURE512(2)
	FEATURE512(3)
	ADDQ $16, R8
	ADDQ $16, R9
	ADDQ $16, R10
	ADDQ $512, BX
	DECQ DI
	JNZ  four

rest:
	ANDQ $3, CX
	JZ   next

one:
	FEATURE512(0)
	ADDQ $4, R8
	ADDQ $4, R9
	ADDQ $4, R10
	ADDQ $128, BX
	DECQ CX
	JNZ  one

next:
	DECQ DX
	JNZ  tap

sums:
	MOVQ OUT(AX), DI
	MOVQ OUTSTEP(AX), R11
	MOVQ PIXELS(AX), CX
	CMPQ ADD(AX), $0
	JEQ  relu
	MOVQ DI, R8
	MOVQ CX, R9
	ADD512(Z0, Z1)
	ADD512(Z2, Z3)
	ADD512(Z4, Z5)
	ADD512(Z6, Z7)
	ADD512(Z8, Z9)
	ADD512(Z10, Z11)
	ADD512(Z12, Z13)
	ADD512(Z14, Z15)
	ADD512(Z16, Z17)
	ADD512(Z18, Z19)
	ADD512(Z20, Z21)
	ADD512(Z22, Z23)
	ADD512(Z24, Z25)
	ADD512(Z26, Z27)

relu:
	CMPQ   RELU(AX), $0
	JEQ    store
	VPXORD Z28, Z28, Z28
	RELU512(Z0, Z1)
	RELU512(Z2, Z3)
	RELU512(Z4, Z5)
	RELU512(Z6, Z7)
	RELU512(Z8, Z9)
	RELU512(Z10, Z11)
	RELU512(Z12, Z13)
	RELU512(Z14, Z15)
	RELU512(Z16, Z17)
	RELU512(Z18, Z19)
	RELU512(Z20, Z21)
	RELU512(Z22, Z23)
	RELU512(Z24, Z25)
	RELU512(Z26, Z27)

store:
	STORE512(Z0, Z1)
	STORE512(Z2, Z3)
	STORE512(Z4, Z5)
	STORE512(Z6, Z7)
	STORE512(Z8, Z9)
	STORE512(Z10, Z11)
	STORE512(Z12, Z13)
	STORE512(Z14, Z15)
	STORE512(Z16, Z17)
	STORE512(Z18, Z19)
	STORE512(Z20, Z21)
	STORE512(Z22, Z23)
	STORE512(Z24, Z25)
	STORE512(Z26, Z27)

done:
	VZEROUPPER
	RET

// func filterAVX2(t *filterTile)
// 6 pixels × 16 outputs: Y0…Y11 accumulate, Y12 and Y13 hold weights, Y14 and
// Y15 inputs. R8 and R9 point to pixels 0 and 5.
#define PIX256(addr, t, c0, c1) \
	VBROADCASTSS addr, t;    \
	VFMADD231PS  Y12, t, c0; \
	VFMADD231PS  Y13, t, c1

#define FEATURE256(p) \
	VMOVUPS (p*64)(BX), Y12;               \
	VMOVUPS (p*64+32)(BX), Y13;            \
	PIX256((p*4)(R8), Y14, Y0, Y1);        \
	PIX256((p*4)(R8)(R11*1), Y15, Y2, Y3); \
	PIX256((p*4)(R8)(R11*2), Y14, Y4, Y5); \
	PIX256((p*4)(R8)(R12*1), Y15, Y6, Y7); \
	PIX256((p*4)(R8)(R11*4), Y14, Y8, Y9); \
	PIX256((p*4)(R9), Y15, Y10, Y11)

#define START256(c0, c1) \
	VMOVAPS Y12, c0; \
	VMOVAPS Y13, c1

#define ADD256(c0, c1) \
	VADDPS (R8), c0, c0;   \
	VADDPS 32(R8), c1, c1; \
	ADDQ   R11, R8;        \
	DECQ   R9;             \
	JZ     relu

#define RELU256(c0, c1) \
	VMAXPS Y12, c0, c0; \
	VMAXPS Y12, c1, c1

#define STORE256(c0, c1) \
	VMOVUPS c0, (DI);   \
	VMOVUPS c1, 32(DI); \
	ADDQ    R11, DI;    \
	DECQ    CX;         \
	JZ      done

TEXT ·filterAVX2(SB), NOSPLIT, $0-8
	MOVQ    t+0(FP), AX
	MOVQ    BIAS(AX), BX
	VMOVUPS (BX), Y12
	VMOVUPS 32(BX), Y13
	START256(Y0, Y1)
	START256(Y2, Y3)
	START256(Y4, Y5)
	START256(Y6, Y7)
	START256(Y8, Y9)
	START256(Y10, Y11)
	MOVQ OFFSETS(AX), SI
	MOVQ TAPS(AX), DX
	MOVQ STEP(AX), R11
	LEAQ (R11)(R11*2), R12
	LEAQ (R12)(R11*2), R13

tap:
	MOVQ IN(AX), R8
	ADDQ (SI), R8
	MOVQ WEIGHTS(AX), BX
	ADDQ 8(SI), BX
	ADDQ $16, SI
	LEAQ (R8)(R13*1), R9
	MOVQ DEPTH(AX), CX
	MOVQ CX, DI
	SHRQ $2, DI
	JZ   rest

four:
	FEATURE256(0)
	FEATURE256(1)
	FEATURE256(2)
	FEATURE256(3)
	ADDQ $16, R8
	ADDQ $16, R9
	ADDQ $256, BX
	DECQ DI
	JNZ  four

rest:
	ANDQ $3, CX
	JZ   next

one:
	FEATURE256(0)
	ADDQ $4, R8
	ADDQ $4, R9
	ADDQ $64, BX
	DECQ CX
	JNZ  one

next:
	DECQ DX
	JNZ  tap

	MOVQ OUT(AX), DI
	MOVQ OUTSTEP(AX), R11
	MOVQ PIXELS(AX), CX
	CMPQ ADD(AX), $0
	JEQ  relu
	MOVQ DI, R8
	MOVQ CX, R9
	ADD256(Y0, Y1)
	ADD256(Y2, Y3)
	ADD256(Y4, Y5)
	ADD256(Y6, Y7)
	ADD256(Y8, Y9)
	ADD256(Y10, Y11)

relu:
	CMPQ   RELU(AX), $0
	JEQ    store
	VXORPS Y12, Y12, Y12
	RELU256(Y0, Y1)
	RELU256(Y2, Y3)
	RELU256(Y4, Y5)
	RELU256(Y6, Y7)
	RELU256(Y8, Y9)
	RELU256(Y10, Y11)

store:
	STORE256(Y0, Y1)
	STORE256(Y2, Y3)
	STORE256(Y4, Y5)
	STORE256(Y6, Y7)
	STORE256(Y8, Y9)
	STORE256(Y10, Y11)

done:
	VZEROUPPER
	RET

// func max3AVX2(dst, a, b, c *float32, n int)
// dst[i] = the largest of a[i], b[i], c[i]; n is a multiple of 8.
TEXT ·max3AVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), AX
	MOVQ b+16(FP), BX
	MOVQ c+24(FP), DX
	MOVQ n+32(FP), CX
	SHRQ $3, CX
	JZ   none
	XORQ SI, SI

eight:
	VMOVUPS (AX)(SI*1), Y0
	VMAXPS  (BX)(SI*1), Y0, Y0
	VMAXPS  (DX)(SI*1), Y0, Y0
	VMOVUPS Y0, (DI)(SI*1)
	ADDQ    $32, SI
	DECQ    CX
	JNZ     eight

none:
	VZEROUPPER
	RET
