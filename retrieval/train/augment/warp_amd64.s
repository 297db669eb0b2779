#include "textflag.h"

// The fields of the argument, in bytes (struct warpRow in warp.go):
#define DST     0
#define SRC     8
#define STRIDE 16
#define N      24
#define ORIGIN 32
#define CENTER 40
#define SLOPES 48
#define ROW    80
#define ENDS  112

DATA halves<>+0(SB)/8, $0.5
DATA halves<>+8(SB)/8, $0.5
GLOBL halves<>(SB), RODATA, $16
DATA one<>+0(SB)/8, $1.0
GLOBL one<>(SB), RODATA, $8

// func warpAVX2(r *warpRow)
// Y8 to Y10 are the map's slopes, the row's part and the ends: lanes are u, v and
// the denominator. Channels are lanes afterwards, in float64 as in bilinear.
TEXT ·warpAVX2(SB), NOSPLIT, $0-8
	MOVQ         r+0(FP), AX
	MOVQ         DST(AX), DI
	MOVQ         SRC(AX), SI
	MOVQ         STRIDE(AX), R8
	MOVQ         N(AX), CX
	VBROADCASTSD CENTER(AX), Y11
	VMOVUPD      SLOPES(AX), Y8
	VMOVUPD      ROW(AX), Y9
	VMOVUPD      ENDS(AX), Y10
	VBROADCASTSD one<>(SB), Y12
	VMOVUPD      halves<>(SB), X13

pixel:
	VMULPD  Y11, Y8, Y0
	VADDPD  Y9, Y0, Y0
	VADDPD  Y10, Y0, Y0
	VADDPD  Y12, Y11, Y11
	VPERMPD $0xaa, Y0, Y1 // the denominator
	VDIVPD  X1, X0, X0
	VSUBPD  X13, X0, X0

	VCVTTPD2DQX X0, X1 // rounded down: nothing is below zero
	VCVTDQ2PD   X1, X2
	VSUBPD      X2, X0, X0
	VMOVQ       X1, R9
	MOVL        R9, R10   // x
	SHRQ        $32, R9   // y
	IMULQ       R8, R9
	LEAQ        (R10)(R10*2), R10
	ADDQ        R10, R9
	SUBQ        ORIGIN(AX), R9
	ADDQ        SI, R9
	LEAQ        (R9)(R8*1), R10

	VPMOVZXBD (R9), X4
	VPMOVZXBD 3(R9), X5
	VPMOVZXBD (R10), X6
	VPMOVZXBD 3(R10), X7
	VCVTDQ2PD X4, Y4
	VCVTDQ2PD X5, Y5
	VCVTDQ2PD X6, Y6
	VCVTDQ2PD X7, Y7

	VBROADCASTSD X0, Y1   // dx
	VPERMPD      $0x55, Y0, Y2 // dy
	VSUBPD       Y4, Y5, Y5
	VMULPD       Y1, Y5, Y5
	VADDPD       Y5, Y4, Y4 // above
	VSUBPD       Y6, Y7, Y7
	VMULPD       Y1, Y7, Y7
	VADDPD       Y7, Y6, Y6 // below
	VSUBPD       Y4, Y6, Y6
	VMULPD       Y2, Y6, Y6
	VADDPD       Y6, Y4, Y4

	VCVTTPD2DQY Y4, X4
	VPACKUSDW   X4, X4, X4
	VPACKUSWB   X4, X4, X4
	VMOVD       X4, (DI)
	ADDQ        $3, DI
	DECQ        CX
	JNZ         pixel
	VZEROUPPER
	RET
