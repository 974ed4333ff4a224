package posixsem

/*
#include "unp_posixsem.h"
*/
import "C"

import (
	"math"
	"os"
	"sync"
	"sync/atomic"

	"unpipc/gobind/internal/racedetect"
)

// A sem_t of glibc begins, where there are atomic operations on 64 bits, with a word
// that has the value in its low and the number of waiters in its high half. Whoever
// waits counts himself in it before he sleeps, and the kernel lets him sleep only while
// the value is 0. So a change of the whole word at once misses nobody.

// direct says whether the word may be changed from Go.
var direct = sync.OnceValue(func() bool {
	return os.Getenv("UNPIPC_POSIXSEM") != "libc" && C.unp_sem_try_layout() == 0
})

// take takes 1 from the value if that is possible without libc.
func (s *Sem) take() bool {
	if !s.direct {
		return false
	}
	word := (*uint64)(s.addr)
	for {
		old := atomic.LoadUint64(word)
		if uint32(old) == 0 {
			return false
		}
		if atomic.CompareAndSwapUint64(word, old, old-1) {
			racedetect.Taken()
			return true
		}
	}
}

// give adds 1 to the value if nobody waits, who would have to be woken, and there is
// room for it.
func (s *Sem) give() bool {
	if !s.direct {
		return false
	}
	word := (*uint64)(s.addr)
	for {
		old := atomic.LoadUint64(word)
		if old >= math.MaxInt32 {
			return false
		}
		if atomic.CompareAndSwapUint64(word, old, old+1) {
			return true
		}
	}
}
