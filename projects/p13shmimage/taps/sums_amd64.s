#include "textflag.h"

// The sums, with registers of 32 bytes (AVX2) and of 64 (AVX-512): the same instructions,
// so that macros have the registers as arguments. Operands are in Go's order: sources
// first, the destination last.

// One tap for a register of values: the sum of both rows' values, times the weight, is
// added to what stays in a register until all taps are done.
#define TAP(offset, value, sum, weight, ADD, MULTIPLY) \
	VMOVUPS	(offset)(R11)(R8*1), value; \
	ADD	(offset)(R12)(R8*1), value, value; \
	MULTIPLY	weight, value, value; \
	ADD	value, sum, sum

// Eight registers of values at a time, until CX bytes are done: sums begin with start.
#define SUM(BROADCAST, ADD, MULTIPLY, size, start, weight, s0, s1, s2, s3, s4, s5, s6, s7, u, v) \
	MOVQ	dst+0(FP), DI; \
	MOVQ	taps+16(FP), SI; \
	MOVQ	count+24(FP), DX; \
	XORQ	R8, R8; \
block: \
	VMOVAPS	start, s0; \
	VMOVAPS	start, s1; \
	VMOVAPS	start, s2; \
	VMOVAPS	start, s3; \
	VMOVAPS	start, s4; \
	VMOVAPS	start, s5; \
	VMOVAPS	start, s6; \
	VMOVAPS	start, s7; \
	MOVQ	SI, R9; \
	MOVQ	DX, R10; \
tap: \
	MOVQ	0(R9), R11; \
	MOVQ	8(R9), R12; \
	BROADCAST	16(R9), weight; \
	TAP(0*size, u, s0, weight, ADD, MULTIPLY); \
	TAP(1*size, v, s1, weight, ADD, MULTIPLY); \
	TAP(2*size, u, s2, weight, ADD, MULTIPLY); \
	TAP(3*size, v, s3, weight, ADD, MULTIPLY); \
	TAP(4*size, u, s4, weight, ADD, MULTIPLY); \
	TAP(5*size, v, s5, weight, ADD, MULTIPLY); \
	TAP(6*size, u, s6, weight, ADD, MULTIPLY); \
	TAP(7*size, v, s7, weight, ADD, MULTIPLY); \
	ADDQ	$24, R9; \
	DECQ	R10; \
	JNZ	tap; \
	VMOVUPS	s0, (0*size)(DI)(R8*1); \
	VMOVUPS	s1, (1*size)(DI)(R8*1); \
	VMOVUPS	s2, (2*size)(DI)(R8*1); \
	VMOVUPS	s3, (3*size)(DI)(R8*1); \
	VMOVUPS	s4, (4*size)(DI)(R8*1); \
	VMOVUPS	s5, (5*size)(DI)(R8*1); \
	VMOVUPS	s6, (6*size)(DI)(R8*1); \
	VMOVUPS	s7, (7*size)(DI)(R8*1); \
	ADDQ	$(8*size), R8; \
	CMPQ	R8, CX; \
	JB	block; \
	VZEROUPPER; \
	RET

#define FIXED(size, start, weight, s0, s1, s2, s3, s4, s5, s6, s7, u, v) \
	MOVQ	n+8(FP), CX; \
	SHLQ	$1, CX; \
	VPBROADCASTW	bias+32(FP), start; \
	SUM(VPBROADCASTW, VPADDW, VPMULHUW, size, start, weight, s0, s1, s2, s3, s4, s5, s6, s7, u, v)

#define FLOAT(size, zero, weight, s0, s1, s2, s3, s4, s5, s6, s7, u, v) \
	MOVQ	n+8(FP), CX; \
	SHLQ	$2, CX; \
	VXORPS	Y15, Y15, Y15; \
	SUM(VBROADCASTSS, VADDPS, VMULPS, size, zero, weight, s0, s1, s2, s3, s4, s5, s6, s7, u, v)

// One tap of one of four rows.
#define ROW(above, below, weight, value, sum) \
	VPADDW	above, below, value; \
	VPMULHUW	weight, value, value; \
	VPADDW	value, sum, sum

// Tap i of four rows, of the rows a above and b below them. For the next one, each row's
// neighbours are those of the row beside it, but for one above all, which is loaded in
// place of a3, and one below all, in place of b0.
#define STEP(i, weight, u, v, s0, s1, s2, s3, a0, a1, a2, a3, b0, b1, b2, b3) \
	VPBROADCASTW	(4*i)(R11), weight; \
	ROW(a0, b0, weight, u, s0); \
	ROW(a1, b1, weight, v, s1); \
	ROW(a2, b2, weight, u, s2); \
	ROW(a3, b3, weight, v, s3); \
	DECQ	R12; \
	JZ	summed; \
	MOVQ	(-8*i)(R9), R13; \
	MOVQ	(8*i)(R10), R14; \
	VMOVUPS	(R13)(R8*1), a3; \
	VMOVUPS	(R14)(R8*1), b0

// A register of values of four rows, at R8, until they are summed.
#define ROWS(start, weight, u, v, s0, s1, s2, s3, a0, a1, a2, a3, b0, b1, b2, b3) \
	MOVQ	0(SI), R9; \
	MOVQ	8(SI), R10; \
	MOVQ	16(SI), R11; \
	MOVQ	24(SI), R12; \
	VMOVUPS	(R9)(R8*1), a0; \
	VMOVUPS	(R10)(R8*1), a1; \
	VMOVUPS	(R11)(R8*1), a2; \
	VMOVUPS	(R12)(R8*1), a3; \
	VMOVAPS	a0, b0; \
	VMOVAPS	a1, b1; \
	VMOVAPS	a2, b2; \
	VMOVAPS	a3, b3; \
	VMOVAPS	start, s0; \
	VMOVAPS	start, s1; \
	VMOVAPS	start, s2; \
	VMOVAPS	start, s3; \
	LEAQ	-8(SI), R9; \
	LEAQ	32(SI), R10; \
	MOVQ	weights+24(FP), R11; \
	MOVQ	DX, R12; \
step: \
	STEP(0, weight, u, v, s0, s1, s2, s3, a0, a1, a2, a3, b0, b1, b2, b3); \
	STEP(1, weight, u, v, s0, s1, s2, s3, a3, a0, a1, a2, b1, b2, b3, b0); \
	STEP(2, weight, u, v, s0, s1, s2, s3, a2, a3, a0, a1, b2, b3, b0, b1); \
	STEP(3, weight, u, v, s0, s1, s2, s3, a1, a2, a3, a0, b3, b0, b1, b2); \
	SUBQ	$32, R9; \
	ADDQ	$32, R10; \
	ADDQ	$16, R11; \
	JMP	step; \
summed: \
	VPSRLW	$7, s0, s0; \
	VPSRLW	$7, s1, s1; \
	VPSRLW	$7, s2, s2; \
	VPSRLW	$7, s3, s3

// DI and BX are the first row of the result and the third, AX behind them is the next.
#define ARGUMENTS(start) \
	MOVQ	dst+0(FP), DI; \
	MOVQ	n+8(FP), AX; \
	MOVQ	middle+16(FP), SI; \
	MOVQ	count+32(FP), DX; \
	VPBROADCASTW	bias+40(FP), start; \
	LEAQ	(DI)(AX*2), BX; \
	MOVQ	AX, CX; \
	XORQ	R8, R8

// func sumFixedAVX2(dst *uint16, n int, taps *Fixed, count int, bias uint16)
TEXT ·sumFixedAVX2(SB), NOSPLIT, $0-34
	FIXED(32, Y15, Y14, Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9)

// func sumFixedAVX512(dst *uint16, n int, taps *Fixed, count int, bias uint16)
TEXT ·sumFixedAVX512(SB), NOSPLIT, $0-34
	FIXED(64, Z15, Z14, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9)

// func sumFloatAVX2(dst *float32, n int, taps *Float, count int)
TEXT ·sumFloatAVX2(SB), NOSPLIT, $0-32
	FLOAT(32, Y15, Y14, Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9)

// func sumFloatAVX512(dst *float32, n int, taps *Float, count int)
TEXT ·sumFloatAVX512(SB), NOSPLIT, $0-32
	FLOAT(64, Z15, Z14, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9)

// func sumRowsAVX2(dst *byte, n int, middle **uint16, weights *uint32, count int, bias uint16)
TEXT ·sumRowsAVX2(SB), NOSPLIT, $0-42
	ARGUMENTS(Y15)

block:
	ROWS(Y15, Y14, Y12, Y13, Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11)
	VPACKUSWB	Y1, Y0, Y0
	VPACKUSWB	Y3, Y2, Y2
	VPERMQ	$0xd8, Y0, Y0	// each half was packed by itself
	VPERMQ	$0xd8, Y2, Y2
	VMOVDQU	X0, (DI)
	VEXTRACTI128	$1, Y0, (DI)(AX*1)
	VMOVDQU	X2, (BX)
	VEXTRACTI128	$1, Y2, (BX)(AX*1)
	ADDQ	$16, DI
	ADDQ	$16, BX
	ADDQ	$32, R8
	SUBQ	$16, CX
	JNZ	block
	VZEROUPPER
	RET

// func sumRowsAVX512(dst *byte, n int, middle **uint16, weights *uint32, count int, bias uint16)
TEXT ·sumRowsAVX512(SB), NOSPLIT, $0-42
	ARGUMENTS(Z15)

block:
	ROWS(Z15, Z14, Z12, Z13, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11)
	VPMOVUSWB	Z0, (DI)
	VPMOVUSWB	Z1, (DI)(AX*1)
	VPMOVUSWB	Z2, (BX)
	VPMOVUSWB	Z3, (BX)(AX*1)
	ADDQ	$32, DI
	ADDQ	$32, BX
	ADDQ	$64, R8
	SUBQ	$32, CX
	JNZ	block
	VZEROUPPER
	RET
