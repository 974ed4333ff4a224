#include "textflag.h"
#include "mutex_amd64.h"

// Of a struct robust_list_head.
#define FIRST     0
#define PENDING   16

#define TID_MASK   0x3fffffff

// The kernel reads the list when the thread dies, between any two instructions, and sees what
// those before have written: from the beginning to the end of a change the mutex is PENDING,
// and the kernel looks at its lock, whether or not it is in the list.

// func TakeRobust(mutex unsafe.Pointer, tid, robust uintptr) bool
TEXT ·TakeRobust(SB), NOSPLIT, $0-25
	MOVQ mutex+0(FP), DI
	MOVQ tid+8(FP), DX
	MOVQ robust+16(FP), R8
	CMPL LOCK_WORD(DI), $0
	JNE  no
	CMPL OWNER(DI), $0       // not so in one that is not recoverable
	JNE  no
	MOVL (DX)(FS*1), DX      // the thread's number
	XORL AX, AX
	ADDQ (AX)(FS*1), R8      // its list: the block begins with its own address
	LEAQ NEXT(DI), BX

	MOVQ BX, PENDING(R8)
	LOCK
	CMPXCHGL DX, LOCK_WORD(DI)
	JNE  settled
	CMPL OWNER(DI), $0       // others may have had it since
	JNE  lost
	MOVL $1, COUNT(DI)

	// In front of the first, whose address may have a flag.
	MOVQ FIRST(R8), CX
	MOVQ CX, SI
	ANDQ $~1, SI
	MOVQ BX, (PREV-NEXT)(SI)
	MOVQ CX, NEXT(DI)
	MOVQ R8, PREV(DI)
	MOVQ BX, FIRST(R8)

	MOVQ $0, PENDING(R8)
	MOVL DX, OWNER(DI)
	INCL USERS(DI)
	MOVB $1, ret+24(FP)
	RET

lost:
	XORL  AX, AX
	XCHGL AX, LOCK_WORD(DI)
	TESTL AX, AX             // FUTEX_WAITERS is the sign
	JNS   settled
	MOVL  $FUTEX_WAKE, SI
	MOVL  $1, DX
	MOVL  $FUTEX, AX
	SYSCALL

settled:
	MOVQ $0, PENDING(R8)

no:
	MOVB $0, ret+24(FP)
	RET

// func GiveRobust(mutex unsafe.Pointer, tid, robust uintptr) bool
TEXT ·GiveRobust(SB), NOSPLIT, $0-25
	MOVQ mutex+0(FP), DI
	MOVQ tid+8(FP), DX
	MOVQ robust+16(FP), R8
	MOVL (DX)(FS*1), DX
	CMPL OWNER(DI), DX
	JNE  no
	CMPL COUNT(DI), $1
	JNE  no
	MOVL LOCK_WORD(DI), AX
	ANDL $TID_MASK, AX
	CMPL AX, DX
	JNE  no
	XORL AX, AX
	ADDQ (AX)(FS*1), R8
	LEAQ NEXT(DI), BX

	MOVQ BX, PENDING(R8)
	MOVQ NEXT(DI), CX
	MOVQ PREV(DI), DX
	MOVQ CX, SI
	ANDQ $~1, SI
	MOVQ DX, (PREV-NEXT)(SI)
	ANDQ $~1, DX
	MOVQ CX, (DX)
	MOVQ $0, PREV(DI)
	MOVQ $0, NEXT(DI)

	MOVL $0, OWNER(DI)
	DECL USERS(DI)
	XORL  AX, AX
	XCHGL AX, LOCK_WORD(DI)
	TESTL AX, AX             // FUTEX_WAITERS is the sign
	JNS   unlocked
	MOVL  $FUTEX_WAKE, SI    // between processes, as libc takes any robust mutex to be
	MOVL  $1, DX
	MOVL  $FUTEX, AX
	SYSCALL

unlocked:
	MOVQ $0, PENDING(R8)
	MOVB $1, ret+24(FP)
	RET

no:
	MOVB $0, ret+24(FP)
	RET
