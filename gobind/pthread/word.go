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
)

// word is how glibc's pthread_mutex_t begins. The lock of one that is normal, not robust
// and without a protocol is a word: whoever changes it as glibc does, and counts himself
// as a user, is no different from a thread in pthread_mutex_lock, and pthread_cond_wait
// may be called with the mutex.
type word struct {
	lock  uint32
	_     uint32
	owner int32 // nobody asks for it in such a mutex, but glibc wants it to be 0 while that is free
	users uint32
	kind  uint32
}

// Values of the lock.
const (
	free      = iota
	held      // and nobody sleeps
	contended // somebody may sleep
)

// Flags in the kind; 0 is a normal mutex.
const (
	robustKind    = 16
	sharedKind    = 128
	noElisionKind = 512
)

// Operations of futex(2), which package unix has not got.
const (
	futexWake    = 1
	futexPrivate = 128
)

// direct says whether the words are what they are taken for.
var direct = sync.OnceValue(func() bool {
	return !libcOnly() && C.unp_mutex_try_layout() == 0
})

// libcOnly says that every call is to be libc's own.
func libcOnly() bool { return os.Getenv("UNPIPC_PTHREAD") == "libc" }

// word is that of a mutex that may be changed from Go, or nil.
func (m *Mutex) word() *word {
	w := (*word)(unsafe.Pointer(m.c))
	if !m.direct || w.kind&^(sharedKind|noElisionKind) != 0 {
		return nil
	}
	return w
}

// take locks the mutex if it is free and libc is not needed for it.
func (m *Mutex) take() bool {
	w := m.word()
	if w == nil || !atomic.CompareAndSwapUint32(&w.lock, free, held) {
		return false
	}
	w.users++
	return true
}

// give unlocks the mutex if libc is not needed for it.
func (m *Mutex) give() bool {
	w := m.word()
	if w == nil {
		return false
	}
	wake := uintptr(futexWake | futexPrivate)
	if w.kind&sharedKind != 0 {
		wake = futexWake
	}
	w.owner = 0
	w.users--
	if atomic.SwapUint32(&w.lock, free) == contended {
		// The memory may be somebody else's meanwhile, who then wakes up for nothing.
		_, _, _ = syscall.RawSyscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&w.lock)), wake, 1)
	}
	return true
}

// unwanted says that nobody sleeps for the mutex, which the caller holds and has repaired
// where that was necessary.
func (m *Mutex) unwanted() bool {
	w := (*word)(unsafe.Pointer(m.c))
	if !m.direct || w.kind&^(robustKind|sharedKind|noElisionKind) != 0 {
		return false
	}
	lock := atomic.LoadUint32(&w.lock)
	if w.kind&robustKind == 0 {
		return lock == held
	}
	return lock != free && lock == uint32(w.owner)
}
