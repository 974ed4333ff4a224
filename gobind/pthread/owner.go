package pthread

/*
#include "unp_pthread_owner.h"
*/
import "C"

import (
	"runtime"
	"sync"

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
