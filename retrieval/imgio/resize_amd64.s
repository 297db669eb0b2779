#include "textflag.h"

// Sums of bytes by 22-bit weights, from one half on; what is above a byte is cut
// off by the packing.
#define HALF (1<<21)

// func rowAVX2(dst, src *byte, first, count, weights *int32, n int)
// A pixel's three channels, and a fourth byte that does not count, are summed in
// one register.
TEXT ·rowAVX2(SB), NOSPLIT, $0-48
	MOVQ         dst+0(FP), DI
	MOVQ         src+8(FP), SI
	MOVQ         first+16(FP), R8
	MOVQ         count+24(FP), R9
	MOVQ         weights+32(FP), R10
	MOVQ         n+40(FP), CX
	MOVL         $HALF, AX
	VMOVD        AX, X5
	VPBROADCASTD X5, X5

pixel:
	MOVLQSX (R8), AX
	LEAQ    (AX)(AX*2), AX
	ADDQ    SI, AX
	MOVL    (R9), DX
	VMOVDQA X5, X0

tap:
	VPMOVZXBD    (AX), X1
	VPBROADCASTD (R10), X2
	VPMULLD      X2, X1, X1
	VPADDD       X1, X0, X0
	ADDQ         $3, AX
	ADDQ         $4, R10
	DECL         DX
	JNZ          tap

	VPSRAD    $22, X0, X0
	VPACKUSDW X0, X0, X0
	VPACKUSWB X0, X0, X0
	VMOVD     X0, (DI)
	ADDQ      $3, DI
	ADDQ      $4, R8
	ADDQ      $4, R9
	DECQ      CX
	JNZ       pixel
	VZEROUPPER
	RET

// func columnAVX2(dst, src *byte, stride int, weights *int32, taps, n int)
TEXT ·columnAVX2(SB), NOSPLIT, $0-48
	MOVQ         dst+0(FP), DI
	MOVQ         src+8(FP), SI
	MOVQ         stride+16(FP), R8
	MOVQ         weights+24(FP), R9
	MOVQ         n+40(FP), CX
	MOVL         $HALF, AX
	VMOVD        AX, X5
	VPBROADCASTD X5, Y5

sixteen:
	MOVQ    SI, AX
	MOVQ    R9, R10
	MOVQ    taps+32(FP), DX
	VMOVDQA Y5, Y0
	VMOVDQA Y5, Y1

sample:
	VPMOVZXBD    (AX), Y2
	VPMOVZXBD    8(AX), Y3
	VPBROADCASTD (R10), Y4
	VPMULLD      Y4, Y2, Y2
	VPMULLD      Y4, Y3, Y3
	VPADDD       Y2, Y0, Y0
	VPADDD       Y3, Y1, Y1
	ADDQ         R8, AX
	ADDQ         $4, R10
	DECQ         DX
	JNZ          sample

	VPSRAD       $22, Y0, Y0
	VPSRAD       $22, Y1, Y1
	VPACKUSDW    Y1, Y0, Y0 // words of 0-3, 8-11, 4-7, 12-15
	VEXTRACTI128 $1, Y0, X1
	VPACKUSWB    X1, X0, X0 // bytes of 0-3, 8-11, 4-7, 12-15
	VPSHUFD      $0xd8, X0, X0
	VMOVDQU      X0, (DI)
	ADDQ         $16, SI
	ADDQ         $16, DI
	SUBQ         $16, CX
	JNZ          sixteen
	VZEROUPPER
	RET
