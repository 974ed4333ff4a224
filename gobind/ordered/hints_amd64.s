//go:build !race

#include "textflag.h"

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

// PREFETCHW, which Go's assembler does not know. An Intel CPU without it does nothing.

// func PrefetchWrite(start *byte, n int)
TEXT ·PrefetchWrite(SB), NOSPLIT, $0-16
	MOVQ start+0(FP), AX
	MOVQ n+8(FP), CX
	ADDQ AX, CX
line:
	BYTE $0x0F; BYTE $0x0D; BYTE $0x08 // PREFETCHW (AX)
	ADDQ $64, AX
	CMPQ AX, CX
	JB   line
	RET
