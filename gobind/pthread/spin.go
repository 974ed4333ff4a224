package pthread

/*
#include "unp_pthread.h"

enum { spin_alignment = _Alignof(pthread_spinlock_t) };
*/
import "C"

import (
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/racedetect"
	"unpipc/gobind/ordered"
)

// SpinSize is how many bytes of memory a spin lock takes, SpinAlignment what its address
// must be a multiple of.
const (
	SpinSize      = C.sizeof_pthread_spinlock_t
	SpinAlignment = C.spin_alignment
)

// Spin is a pthread_spinlock_t somewhere in memory. It may be used by several
// goroutines, and by other processes, at once. It has no owner.
//
// The kernel knows nothing of it: while the thread that holds it does not run, for want
// of a processor or by a page fault, those that wait burn theirs. In a program that is
// not alone on its processors a [Mutex] is the better choice.
//
// One that is free is locked, and unlocked, without a call into C, as libc does it.
type Spin struct {
	object[C.pthread_spinlock_t]
	direct spinValues
}

// spinValues are what a lock's word has, the same twice if it is for libc alone.
type spinValues struct{ free, held int32 }

// spinDirect is what has been seen in a lock of libc's.
var spinDirect = sync.OnceValue(func() spinValues {
	var free, held C.int
	if libcOnly() || C.unp_spin_try_layout(&free, &held) != 0 {
		return spinValues{}
	}
	return spinValues{int32(free), int32(held)}
})

func (s *Spin) take() bool {
	return s.direct.free != s.direct.held &&
		atomic.CompareAndSwapInt32((*int32)(unsafe.Pointer(s.c)), s.direct.free, s.direct.held)
}

// InitSpin makes a spin lock in memory, which must not be the Go heap. See
// pthread_spin_init(3). Errors: EINVAL (memory that is too small or not aligned).
func InitSpin(memory []byte, shared bool) (*Spin, error) {
	s, err := SpinAt(memory)
	if err != nil {
		return nil, err
	}
	return made(s, s.init(shared))
}

// NewSpin is [InitSpin] in memory of its own, which [Spin.Destroy] frees.
func NewSpin(shared bool) (*Spin, error) {
	s := &Spin{newObject[C.pthread_spinlock_t](), spinDirect()}
	return made(s, s.init(shared))
}

// SpinAt is the lock that was made in this memory. Error: EINVAL, as for [InitSpin].
func SpinAt(memory []byte) (*Spin, error) {
	o, err := objectAt[C.pthread_spinlock_t](memory, SpinAlignment, "pthread_spin_init")
	return made(&Spin{o, spinDirect()}, err)
}

func (s *Spin) init(shared bool) error {
	return errs.Call("pthread_spin_init", syscall.Errno(C.unp_spin_init(unsafe.Pointer(s.c), C.bool(shared))))
}

// Destroy ends a lock that nobody holds. See pthread_spin_destroy(3).
func (s *Spin) Destroy() error {
	s.free() // pthread_spin_destroy does nothing on Linux
	return nil
}

// Lock locks, and runs in a circle until it can. See pthread_spin_lock(3).
func (s *Spin) Lock() error {
	if s.take() {
		racedetect.Taken()
		return nil
	}
	return s.lock()
}

// lock is Lock in libc.
func (s *Spin) lock() error {
	errno := syscall.Errno(C.unp_spin_lock(unsafe.Pointer(s.c)))
	racedetect.Taken()
	return errs.Call("pthread_spin_lock", errno)
}

// TryLock is [Spin.Lock] without waiting: EBUSY. See pthread_spin_trylock(3).
func (s *Spin) TryLock() error {
	if s.take() {
		racedetect.Taken()
		return nil
	}
	errno := syscall.Errno(C.unp_spin_trylock(unsafe.Pointer(s.c)))
	if errno == 0 {
		racedetect.Taken()
	}
	return errs.Call("pthread_spin_trylock", errno)
}

// Unlock unlocks. See pthread_spin_unlock(3).
func (s *Spin) Unlock() error {
	racedetect.Giving()
	if s.direct.free != s.direct.held {
		ordered.Store32((*uint32)(unsafe.Pointer(s.c)), uint32(s.direct.free)) // as libc's own unlock
		return nil
	}
	return s.unlock()
}

// unlock is Unlock in libc.
func (s *Spin) unlock() error {
	return errs.Call("pthread_spin_unlock", syscall.Errno(C.unp_spin_unlock(unsafe.Pointer(s.c))))
}
