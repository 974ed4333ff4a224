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

// readers is how glibc's pthread_rwlock_t begins: how many have it for reading, times
// reader, and flags. While there is no flag, no writer has it or waits for it, and nobody
// sleeps: whoever adds himself, or takes himself away, has done all that
// pthread_rwlock_rdlock or pthread_rwlock_unlock would. A writer is another matter: libc
// notes his thread.
type readers = uint32

const (
	reader      = 8
	flags       = reader - 1
	mostReaders = 1 << 30 // fewer than libc lets in
)

// readersDirect says whether the word is what it is taken for.
var readersDirect = sync.OnceValue(func() bool {
	return !libcOnly() && C.unp_rwlock_try_layout() == 0
})

// enter locks for reading where libc is not needed for it.
func (l *RWLock) enter() bool {
	word := (*readers)(unsafe.Pointer(l.c))
	for l.direct {
		n := atomic.LoadUint32(word)
		if n&flags != 0 || n >= mostReaders {
			return false
		}
		if atomic.CompareAndSwapUint32(word, n, n+reader) {
			return true
		}
	}
	return false
}

// leave unlocks where libc is not needed for it: without a flag, the caller is a reader.
func (l *RWLock) leave() bool {
	word := (*readers)(unsafe.Pointer(l.c))
	for l.direct {
		n := atomic.LoadUint32(word)
		if n&flags != 0 || n < reader {
			return false
		}
		if atomic.CompareAndSwapUint32(word, n, n-reader) {
			return true
		}
	}
	return false
}
