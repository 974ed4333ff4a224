#include "textflag.h"
#include "mutex_amd64.h"

// Each store before an atomic operation is waited for there, so that there are few.

// func TakeOwned(mutex unsafe.Pointer, tid uintptr) bool
TEXT ·TakeOwned(SB), NOSPLIT, $0-17
	MOVQ mutex+0(FP), DI
	MOVQ tid+8(FP), DX
	MOVL KIND(DI), CX
	MOVL (DX)(FS*1), DX // the thread's number
	CMPL OWNER(DI), DX
	JEQ  again
	XORL AX, AX
	MOVL $1, SI
	LOCK
	CMPXCHGL SI, LOCK_WORD(DI)
	JNE  no
	MOVL  DX, OWNER(DI)
	INCL  USERS(DI)
	TESTL $RECURSIVE, CX
	JEQ   yes
	MOVL  SI, COUNT(DI)

yes:
	MOVB $1, ret+16(FP)
	RET

again:
	TESTL $RECURSIVE, CX
	JEQ   no
	CMPL  COUNT(DI), $-1
	JEQ   no
	INCL  COUNT(DI)
	JMP   yes

no:
	MOVB $0, ret+16(FP)
	RET

// func GiveOwned(mutex unsafe.Pointer, tid uintptr) bool
TEXT ·GiveOwned(SB), NOSPLIT, $0-17
	MOVQ mutex+0(FP), DI
	MOVQ tid+8(FP), DX
	MOVL KIND(DI), CX        // not afterwards, when the memory may be somebody else's
	MOVL (DX)(FS*1), DX
	CMPL OWNER(DI), DX
	JNE  no
	TESTL $RECURSIVE, CX
	JEQ  last
	DECL COUNT(DI)
	JNE  yes

last:
	MOVL  $0, OWNER(DI)
	DECL  USERS(DI)
	XORL  AX, AX
	XCHGL AX, LOCK_WORD(DI)
	CMPL  AX, $CONTENDED
	JEQ   wake

yes:
	MOVB $1, ret+16(FP)
	RET

wake:
	ANDL $SHARED, CX
	XORL $(SHARED|FUTEX_WAKE), CX // FUTEX_PRIVATE_FLAG is the opposite
	MOVL CX, SI
	MOVL $1, DX
	MOVL $FUTEX, AX
	SYSCALL
	JMP  yes

no:
	MOVB $0, ret+16(FP)
	RET
