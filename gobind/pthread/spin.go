package pthread

/*
#include <stdlib.h>
#include "unp_pthread.h"

enum { spin_alignment = _Alignof(pthread_spinlock_t) };
*/
import "C"

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/racedetect"
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
type Spin struct {
	addr unsafe.Pointer
	own  bool // made by NewSpin
}

// InitSpin makes a spin lock in memory, which must not be the Go heap. See
// pthread_spin_init(3). Errors: EINVAL (memory that is too small or not aligned).
func InitSpin(memory []byte, shared bool) (*Spin, error) {
	s, err := SpinAt(memory)
	if err != nil {
		return nil, err
	}
	if err := s.init(shared); err != nil {
		return nil, err
	}
	return s, nil
}

// NewSpin is [InitSpin] in memory of its own, which [Spin.Destroy] frees.
func NewSpin(shared bool) (*Spin, error) {
	s := &Spin{C.calloc(1, SpinSize), true}
	return s, s.init(shared)
}

// SpinAt is the lock that was made in this memory. Error: EINVAL, as for [InitSpin].
func SpinAt(memory []byte) (*Spin, error) {
	if !fits(memory, SpinSize, SpinAlignment) {
		return nil, errs.Call("pthread_spin_init", unix.EINVAL)
	}
	return &Spin{addr: unsafe.Pointer(unsafe.SliceData(memory))}, nil
}

func (s *Spin) init(shared bool) error {
	return errs.Call("pthread_spin_init", syscall.Errno(C.unp_spin_init(s.addr, C.bool(shared))))
}

// Destroy ends a lock that nobody holds. See pthread_spin_destroy(3).
func (s *Spin) Destroy() error {
	// pthread_spin_destroy does nothing on Linux.
	if s.own {
		C.free(s.addr)
		s.addr, s.own = nil, false
	}
	return nil
}

// Lock locks, and runs in a circle until it can. See pthread_spin_lock(3).
func (s *Spin) Lock() error {
	errno := syscall.Errno(C.unp_spin_lock(s.addr))
	racedetect.Taken()
	return errs.Call("pthread_spin_lock", errno)
}

// TryLock is [Spin.Lock] without waiting: EBUSY. See pthread_spin_trylock(3).
func (s *Spin) TryLock() error {
	errno := syscall.Errno(C.unp_spin_trylock(s.addr))
	if errno == 0 {
		racedetect.Taken()
	}
	return errs.Call("pthread_spin_trylock", errno)
}

// Unlock unlocks. See pthread_spin_unlock(3).
func (s *Spin) Unlock() error {
	racedetect.Giving()
	return errs.Call("pthread_spin_unlock", syscall.Errno(C.unp_spin_unlock(s.addr)))
}
