//go:build !race

#include "textflag.h"

// func Store(word *uint64, value uint64)
TEXT ·Store(SB), NOSPLIT, $0-16
	MOVD word+0(FP), R0
	MOVD value+8(FP), R1
	STLR R1, (R0)
	RET

// func Store32(word *uint32, value uint32)
TEXT ·Store32(SB), NOSPLIT, $0-12
	MOVD word+0(FP), R0
	MOVWU value+8(FP), R1
	STLRW R1, (R0)
	RET

// func Pause()
TEXT ·Pause(SB), NOSPLIT, $0-0
	YIELD
	RET

// func Prefetch(start *byte, n int)
TEXT ·Prefetch(SB), NOSPLIT, $0-16
	MOVD start+0(FP), R0
	MOVD n+8(FP), R1
	ADD  R0, R1
line:
	PRFM (R0), PLDL1KEEP
	ADD  $64, R0
	CMP  R1, R0
	BLO  line
	RET
