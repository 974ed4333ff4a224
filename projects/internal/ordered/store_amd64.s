//go:build !race

#include "textflag.h"

// Stores become visible in program order (Intel SDM volume 3, 9.2.2), so a plain one
// is a release. That a call is no place to move memory accesses across binds the
// compiler.

// func Store(word *uint64, value uint64)
TEXT ·Store(SB), NOSPLIT, $0-16
	MOVQ word+0(FP), AX
	MOVQ value+8(FP), CX
	MOVQ CX, (AX)
	RET

// func Store32(word *uint32, value uint32)
TEXT ·Store32(SB), NOSPLIT, $0-12
	MOVQ word+0(FP), AX
	MOVL value+8(FP), CX
	MOVL CX, (AX)
	RET

// func Pause()
TEXT ·Pause(SB), NOSPLIT, $0-0
	PAUSE
	RET

// func Prefetch(start *byte, n int)
TEXT ·Prefetch(SB), NOSPLIT, $0-16
	MOVQ start+0(FP), AX
	MOVQ n+8(FP), CX
	ADDQ AX, CX
line:
	PREFETCHT0 (AX)
	ADDQ $64, AX
	CMPQ AX, CX
	JB   line
	RET
