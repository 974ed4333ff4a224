package pthread

/*
#include "unp_pthread_owner.h"
*/
import "C"

import (
	"math"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread/internal/tcb"
)

// Of a writer glibc notes the thread. Here he does what pthread_rwlock_trywrlock does, to a
// lock that nobody has, and what pthread_rwlock_unlock does. While he has it, those who come
// sleep at one of two words: writers at sleepers, for him to go, and readers at phase, for it
// to be their turn. Each such word is 1 then, or with sleptFor; whoever sets it to 0 wakes
// them.
const (
	sleptFor = 2
	passedOn = 1 << 31 // in writers, which are those who wait: one of them is to have the lock
)

// writersDirect says whether all words are what they are taken for.
var writersDirect = sync.OnceValue(func() bool {
	return readersDirect() && threads() && C.unp_rwlock_try_writers() == 0
})

// enterAlone locks for writing where libc is not needed for it.
func (l *RWLock) enterAlone() bool {
	if !l.alone {
		return false
	}
	w := l.words()
	n := atomic.LoadUint32(&w.readers)
	if n&^writersTurn != 0 || !atomic.CompareAndSwapUint32(&w.readers, n, writersTurn|writer) {
		return false
	}
	w.sleepers = 1
	if n != writersTurn { // or else it is that, and readers who have come since may sleep
		w.phase = 1
	}
	w.writer = tcb.Word(tidAt)
	return true
}

// leaveAlone unlocks if the caller has it for writing: then the goroutine is pinned.
func (w *rwords) leaveAlone() bool {
	if !tcb.Has(tidAt, &w.writer) {
		return false
	}
	wake := w.wake()
	w.writer = 0
	slept := atomic.SwapUint32(&w.sleepers, 0)&sleptFor != 0
	if !w.passOn() {
		w.openUp(wake)
	}
	if slept {
		wake.up(&w.sleepers, 1)
	}
	return true
}

// passOn leaves the lock to a writer who waits, where they are preferred.
func (w *rwords) passOn() bool {
	for w.kind != uint32(PreferReader) {
		n := atomic.LoadUint32(&w.writers)
		if n == 0 {
			return false
		}
		if atomic.CompareAndSwapUint32(&w.writers, n, n|passedOn) {
			return true
		}
	}
	return false
}

// openUp leaves it to the readers who wait, or to whoever comes.
func (w *rwords) openUp(wake wake) {
	for {
		n := atomic.LoadUint32(&w.readers)
		if n < reader {
			if atomic.CompareAndSwapUint32(&w.readers, n, n&^writer) {
				return
			}
		} else if atomic.CompareAndSwapUint32(&w.readers, n, n&^(writer|writersTurn)) {
			w.readersTurn(wake)
			return
		}
	}
}

// enterFirst locks for reading if nobody has had the lock since a writer.
func (w *rwords) enterFirst() bool {
	if !atomic.CompareAndSwapUint32(&w.readers, writersTurn, reader) {
		return false
	}
	w.readersTurn(w.wake())
	return true
}

// readersTurn lets those readers go on who had come before.
func (w *rwords) readersTurn(wake wake) {
	if atomic.SwapUint32(&w.phase, 0)&sleptFor != 0 {
		wake.up(&w.phase, math.MaxInt32)
	}
}

// wake is the operation by which futex(2) wakes those who sleep at a word of a lock. It is
// to be known before that is given back: then its memory may be somebody else's, who wakes up
// for nothing.
type wake uintptr

func (w *rwords) wake() wake {
	if w.shared != 0 {
		return futexWake
	}
	return futexWake | futexPrivate
}

func (operation wake) up(word *uint32, most uintptr) {
	_, _, _ = syscall.RawSyscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), uintptr(operation), most)
}
