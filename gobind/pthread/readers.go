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

// rwords are those of glibc's pthread_rwlock_t: see writers.go for all but the first. That
// is how many have it for reading, times reader, and flags. While there is no flag, no writer
// has it or waits for it, and nobody sleeps: whoever adds himself, or takes himself away, has
// done all that pthread_rwlock_rdlock or pthread_rwlock_unlock would.
type rwords struct {
	readers, writers, phase, sleepers uint32
	_                                 [2]uint32
	writer                            int32
	shared                            uint32
	_                                 [4]uint32
	kind                              uint32
}

const (
	writersTurn = 1 // when nobody has it, a writer was the last
	writer      = 2 // has it, or wants it
	reader      = 8
	flags       = reader - 1
	mostReaders = 1 << 30 // fewer than libc lets in
)

// readersDirect says whether the first word is what it is taken for.
var readersDirect = sync.OnceValue(func() bool {
	return !libcOnly() && C.unp_rwlock_try_layout() == 0
})

func (l *RWLock) words() *rwords { return (*rwords)(unsafe.Pointer(l.c)) }

// enter locks for reading where libc is not needed for it.
func (l *RWLock) enter() bool {
	w := l.words()
	for l.direct {
		n := atomic.LoadUint32(&w.readers)
		if n == writersTurn && l.alone {
			return w.enterFirst()
		}
		if n&flags != 0 || n >= mostReaders {
			return false
		}
		if atomic.CompareAndSwapUint32(&w.readers, n, n+reader) {
			return true
		}
	}
	return false
}

// leave unlocks where libc is not needed for it: without a flag, the caller is a reader.
func (l *RWLock) leave() bool {
	w := l.words()
	for l.direct {
		n := atomic.LoadUint32(&w.readers)
		if n&flags != 0 || n < reader {
			return l.alone && w.leaveAlone()
		}
		if atomic.CompareAndSwapUint32(&w.readers, n, n-reader) {
			return true
		}
	}
	return false
}
