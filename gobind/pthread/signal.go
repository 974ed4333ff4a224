package pthread

/*
#include "unp_pthread.h"
*/
import "C"

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// waiter is what one that waits adds to the word of glibc's pthread_cond_t that counts them;
// below are flags.
const waiter = 8

// waitersAt is where that word is in a condition, 0 if that is not known. (It is not the
// first: a condition begins with a count of those that have ever waited.)
var waitersAt = sync.OnceValue(func() uintptr {
	var offset C.size_t
	if libcOnly() || C.unp_cond_try_layout(&offset) != 0 {
		return 0
	}
	return uintptr(offset)
})

// waitsDirect says whether a wait at a condition may be made of its words.
var waitsDirect = sync.OnceValue(func() bool { return !libcOnly() && C.unp_cond_try_waits() == 0 })

// yields is how often a wait lets others run at first: see [Cond.SetAdaptive].
func yields() int32 {
	if waitsDirect() {
		return 0
	}
	return -1
}

// idle says that nobody waits, so that a signal does nothing. It is how glibc's own
// signal and broadcast begin, which look at this word in whatever order the processor likes:
// one that waits has added himself before he unlocked the mutex, so that whoever has locked
// it since sees him, and for others there is no before.
func (v *Cond) idle() bool {
	return v.waitersAt != 0 && atomic.LoadUint32((*uint32)(unsafe.Add(unsafe.Pointer(v.c), v.waitersAt))) < waiter
}
