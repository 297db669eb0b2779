#include "textflag.h"

// R, G and B of four pixels each, and four bytes that do not count, to RGB RGB ….
DATA interleave<>+0(SB)/8, $0x0602090501080400
DATA interleave<>+8(SB)/8, $0x808080800b07030a
GLOBL interleave<>(SB), RODATA, $16

// func yccAVX2(dst, luma, cb, cr *byte, n int)
// Eight pixels in 32 bits each, as yccRow; the packing limits them to bytes.
TEXT ·yccAVX2(SB), NOSPLIT, $0-40
	MOVQ           dst+0(FP), DI
	MOVQ           luma+8(FP), R8
	MOVQ           cb+16(FP), R9
	MOVQ           cr+24(FP), R10
	MOVQ           n+32(FP), CX
	VBROADCASTI128 interleave<>(SB), Y15
	VPXOR          Y14, Y14, Y14
	MOVL           $(1<<15), AX
	VMOVD          AX, X13
	VPBROADCASTD   X13, Y13
	MOVL           $128, AX
	VMOVD          AX, X12
	VPBROADCASTD   X12, Y12
	MOVL           $91881, AX
	VMOVD          AX, X11
	VPBROADCASTD   X11, Y11
	MOVL           $22554, AX
	VMOVD          AX, X10
	VPBROADCASTD   X10, Y10
	MOVL           $46802, AX
	VMOVD          AX, X9
	VPBROADCASTD   X9, Y9
	MOVL           $116130, AX
	VMOVD          AX, X8
	VPBROADCASTD   X8, Y8

eight:
	VPMOVZXBD (R8), Y0
	VPMOVZXBD (R9), Y1
	VPMOVZXBD (R10), Y2
	VPSLLD    $16, Y0, Y0
	VPADDD    Y13, Y0, Y0
	VPSUBD    Y12, Y1, Y1
	VPSUBD    Y12, Y2, Y2
	VPMULLD   Y11, Y2, Y3
	VPADDD    Y0, Y3, Y3 // red
	VPMULLD   Y10, Y1, Y4
	VPMULLD   Y9, Y2, Y5
	VPSUBD    Y4, Y0, Y4
	VPSUBD    Y5, Y4, Y4 // green
	VPMULLD   Y8, Y1, Y5
	VPADDD    Y0, Y5, Y5 // blue
	VPSRAD    $16, Y3, Y3
	VPSRAD    $16, Y4, Y4
	VPSRAD    $16, Y5, Y5

	VPACKUSDW    Y4, Y3, Y3
	VPACKUSDW    Y14, Y5, Y5
	VPACKUSWB    Y5, Y3, Y3
	VPSHUFB      Y15, Y3, Y3
	VMOVDQU      X3, (DI)
	VEXTRACTI128 $1, Y3, X3
	VMOVDQU      X3, 12(DI)
	ADDQ         $8, R8
	ADDQ         $8, R9
	ADDQ         $8, R10
	ADDQ         $24, DI
	SUBQ         $8, CX
	JNZ          eight
	VZEROUPPER
	RET

// COLUMN is 3·near + far of sixteen samples from a place on.
#define COLUMN(at, sum) \
	VPMOVZXBW at(SI), sum;   \
	VPMOVZXBW at(DX), Y7;    \
	VPADDW    sum, Y7, Y7;   \
	VPADDW    sum, sum, sum; \
	VPADDW    Y7, sum, sum

// func triangleAVX2(dst, near, far *byte, n int)
// As triangleHV: the sample before and the one after weigh ¼.
TEXT ·triangleAVX2(SB), NOSPLIT, $0-32
	MOVQ         dst+0(FP), DI
	MOVQ         near+8(FP), SI
	MOVQ         far+16(FP), DX
	MOVQ         n+24(FP), CX
	MOVL         $0x00070007, AX
	VMOVD        AX, X9
	VPBROADCASTD X9, Y9
	MOVL         $0x00080008, AX
	VMOVD        AX, X8
	VPBROADCASTD X8, Y8

sixteen:
	COLUMN(0, Y0)
	COLUMN(-1, Y1)
	COLUMN(1, Y2)
	VPADDW  Y0, Y0, Y3
	VPADDW  Y0, Y3, Y3
	VPADDW  Y3, Y1, Y1
	VPADDW  Y3, Y2, Y2
	VPADDW  Y8, Y1, Y1
	VPADDW  Y9, Y2, Y2
	VPSRLW  $4, Y1, Y1
	VPSRLW  $4, Y2, Y2
	VPSLLW  $8, Y2, Y2
	VPOR    Y1, Y2, Y2
	VMOVDQU Y2, (DI)
	ADDQ    $16, SI
	ADDQ    $16, DX
	ADDQ    $32, DI
	SUBQ    $16, CX
	JNZ     sixteen
	VZEROUPPER
	RET
