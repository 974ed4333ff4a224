package pthread

/*
#include "unp_pthread_owner.h"
*/
import "C"

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread/internal/tcb"
)

// Where libc has the number of the calling thread in its control block, and the head of the
// list of robust mutexes that it holds; threads says whether that is known.
var (
	tidAt, robustAt uintptr

	threads = sync.OnceValue(func() bool {
		var tid, robust C.size_t
		if libcOnly() || !tcb.Known || C.unp_thread_try_layout(&tid, &robust) != 0 {
			return false
		}
		tidAt, robustAt = uintptr(tid), uintptr(robust)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		return int(tcb.Word(tidAt)) == unix.Gettid()
	})
)

// checking are the kinds that check or count.
const checking kinds = 1<<recursiveKind | 1<<errorCheckKind

// directOwned says which mutexes that note their owner have words that are what they are
// taken for.
func directOwned() (known kinds) {
	if threads() && C.unp_mutex_try_owned() == 0 {
		known |= checking
	}
	if threads() && robustKnownAt(robustAt) {
		known |= (1<<normalKind | checking) << robustKind
	}
	return known
}

// robustKnownAt says whether robust mutexes are what they are taken for, and the list of those
// that a thread holds is there.
func robustKnownAt(offset uintptr) bool { return C.unp_mutex_try_robust(C.size_t(offset)) == 0 }

// own locks a mutex that notes its owner, for the thread that the goroutine is pinned to. One
// that is robust is also in a list of the thread's.
func (w *word) own(kind uint32) bool {
	if kind&robustKind != 0 {
		return tcb.TakeRobust(unsafe.Pointer(w), tidAt, robustAt)
	}
	me := tcb.Word(tidAt)
	if atomic.LoadInt32(&w.owner) == me {
		if kind != recursiveKind || w.count == math.MaxUint32 {
			return false
		}
		w.count++
		return true
	}
	if !atomic.CompareAndSwapUint32(&w.lock, free, held) {
		return false
	}
	if kind == recursiveKind {
		w.count = 1
	}
	w.owner = me
	w.users++
	return true
}

// disown unlocks it, if it is the caller's: then the goroutine is pinned.
func (w *word) disown(kind uint32) bool {
	if kind&robustKind != 0 {
		return tcb.GiveRobust(unsafe.Pointer(w), tidAt, robustAt)
	}
	if !tcb.Has(tidAt, &w.owner) {
		return false
	}
	if kind == recursiveKind {
		if w.count--; w.count > 0 {
			return true
		}
	}
	w.release()
	return true
}
