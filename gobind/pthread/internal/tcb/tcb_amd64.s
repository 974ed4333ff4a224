#include "textflag.h"

// func Word(offset uintptr) int32
TEXT ·Word(SB), NOSPLIT, $0-12
	MOVQ offset+0(FP), AX
	MOVL (AX)(FS*1), AX
	MOVL AX, ret+8(FP)
	RET

// func Has(offset uintptr, owner *int32) bool
TEXT ·Has(SB), NOSPLIT, $0-17
	MOVQ  offset+0(FP), AX
	MOVQ  owner+8(FP), CX
	MOVL  (AX)(FS*1), AX
	CMPL  AX, (CX)
	SETEQ ret+16(FP)
	RET
