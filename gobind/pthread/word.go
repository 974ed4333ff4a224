package pthread

/*
#include "unp_pthread.h"
*/
import "C"

import (
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread/internal/tcb"
)

// word is how glibc's pthread_mutex_t begins. The lock of one that is normal, not robust
// and without a protocol is a word: whoever changes it as glibc does, and counts himself
// as a user, is no different from a thread in pthread_mutex_lock, and pthread_cond_wait
// may be called with the mutex.
type word struct {
	lock  uint32
	count uint32 // how often it is locked, for one that counts
	owner int32  // nobody asks for it in a normal mutex, but glibc wants it to be 0 while that is free
	users uint32
	kind  uint32
}

// Values of the lock.
const (
	free      = iota
	held      // and nobody sleeps
	contended // somebody may sleep
)

// Values of the kind, and flags in it.
const (
	normalKind     = 0
	recursiveKind  = 1
	errorCheckKind = 2
	robustKind     = 16
	sharedKind     = 128
	noElisionKind  = 512
)

// Operations of futex(2), which package unix has not got.
const (
	futexWake    = 1
	futexPrivate = 128
)

// kinds is a set of values that the kind has without its last two flags.
type kinds uint32

func (k kinds) has(kind uint32) bool { return k>>kind&1 != 0 }

// direct says which mutexes have words that are what they are taken for.
var direct = sync.OnceValue(func() kinds {
	if libcOnly() || C.unp_mutex_try_layout() != 0 {
		return 0
	}
	return 1<<normalKind | directOwned()
})

// libcOnly says that every call is to be libc's own.
func libcOnly() bool { return os.Getenv("UNPIPC_PTHREAD") == "libc" }

func (m *Mutex) word() *word { return (*word)(unsafe.Pointer(m.c)) }

// is says of which kind the mutex is.
func (w *word) is() uint32 { return w.kind &^ (sharedKind | noElisionKind) }

// take locks the mutex if it is free, or counts, and libc is not needed for it. The
// goroutine is pinned, unless the mutex is normal. One that is robust is also in a list of the
// thread's.
func (m *Mutex) take() bool {
	w := m.word()
	switch kind := w.is(); {
	case !m.direct.has(kind):
		return false
	case kind == normalKind:
		if atomic.CompareAndSwapUint32(&w.lock, free, held) {
			w.users++
			return true
		}
		return false
	case kind&robustKind != 0:
		return tcb.TakeRobust(unsafe.Pointer(w), tidAt, robustAt)
	}
	return tcb.TakeOwned(unsafe.Pointer(w), tidAt)
}

// give unlocks the mutex if libc is not needed for it. One that notes its owner must be the
// caller's, who is pinned then.
func (m *Mutex) give() bool {
	w := m.word()
	switch kind := w.is(); {
	case !m.direct.has(kind):
		return false
	case kind == normalKind:
		w.release(w.kind)
		return true
	case kind&robustKind != 0:
		return tcb.GiveRobust(unsafe.Pointer(w), tidAt, robustAt)
	}
	return tcb.GiveOwned(unsafe.Pointer(w), tidAt)
}

// isMine says that the mutex is normal, and the caller's if it is robust; one that is not must
// be, or else nothing is defined.
func (m *Mutex) isMine() bool {
	w := m.word()
	switch kind := w.is(); {
	case !m.direct.has(kind):
		return false
	case kind == normalKind:
		return true
	}
	return w.is() == robustKind && w.owner == int32(tcb.Word(tidAt))
}

// release frees the lock of a mutex of this kind. (Asked for afterwards it may be another's.)
func (w *word) release(kind uint32) {
	w.owner = 0
	w.users--
	if atomic.SwapUint32(&w.lock, free) == contended {
		w.wake(kind)
	}
}

// wake wakes one who sleeps for a mutex of this kind. The memory may be somebody else's
// meanwhile, who then wakes up for nothing.
func (w *word) wake(kind uint32) {
	operation := uintptr(futexWake | futexPrivate)
	if kind&sharedKind != 0 {
		operation = futexWake
	}
	_, _, _ = syscall.RawSyscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&w.lock)), operation, 1)
}

// unwanted says that nobody sleeps for the mutex, which the caller holds and has repaired
// where that was necessary.
func (m *Mutex) unwanted() bool {
	w := m.word()
	if m.direct == 0 || w.is()&^robustKind != 0 {
		return false
	}
	lock := atomic.LoadUint32(&w.lock)
	if w.kind&robustKind == 0 {
		return lock == held
	}
	return lock != free && lock == uint32(w.owner)
}
