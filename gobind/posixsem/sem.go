// Package posixsem gives POSIX semaphores: sem_overview(7), UNPv2 chapter 10.
//
// A semaphore is libc's own sem_t, so a C program at the other end uses the same one:
//
//	Open      by a name, in a file of /dev/shm that everybody finds
//	Init, At  in memory that processes share, usually a mapping of unpipc/gobind/posixshm
//	New       in memory of this process alone
//
// # How a call is made
//
// A call that need not sleep changes glibc's word by itself, in Go, where that is known
// to be right: value and number of waiters are one word of 64 bits, and an atomic change
// of it that finds the value above 0 (to take) or the waiters at 0 (to give) is all that
// sem_wait and sem_post do. Every other call is the real function. Whether glibc is made
// so is tried on the real functions when the first semaphore is made; if it is not, or
// UNPIPC_POSIXSEM=libc is in the environment, every call is libc's.
//
// # Errors
//
// EAGAIN ([Sem.TryWait] at 0), ETIMEDOUT ([Sem.WaitBy], [Sem.WaitFor]), EOVERFLOW
// ([Sem.Post] at SEM_VALUE_MAX): in an *fs.PathError with the name, or in an
// *os.SyscallError where there is none. The end of a context is its cause. EINTR is
// never returned.
//
// # Caveats
//
//   - A semaphore has no owner: what a killed process has taken stays taken.
//   - Memory that is unmapped while a call sleeps in it is the caller's fault, and so
//     is a semaphore that nobody has made by Init: its value is whatever stands there.
//     No Sem may be used after its Close or Destroy.
//   - Each call that sleeps holds an operating system thread.
//   - Who sleeps has no place in a line: a call that comes just after a Post may take
//     what the sleeper was woken for, which then sleeps on.
package posixsem

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#include <stdlib.h>
#include "unp_posixsem.h"
*/
import "C"

import (
	"math"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/posixsem"
	"unpipc/gobind/internal/errs"
)

// Size is how many bytes of memory a semaphore takes, Alignment what its address must
// be a multiple of.
var (
	Size      = int(C.unp_sem_size())
	Alignment = int(C.unp_sem_alignment())
)

// Sem is a semaphore somewhere in memory. It may be used by several goroutines, and
// by other processes, at once.
type Sem struct {
	addr   unsafe.Pointer
	direct bool   // the word may be changed from Go
	name   string // "" if it has none
	ours   bool   // the memory is New's
}

// Init makes a semaphore with the given value in memory, which must be shared between
// the processes that use it and must not be the Go heap. See sem_init(3).
// Errors: EINVAL (a value over SEM_VALUE_MAX; memory that is too small or not aligned).
func Init(memory []byte, value uint) (*Sem, error) {
	s, err := At(memory)
	if err != nil {
		return nil, err
	}
	if err := s.init(true, value); err != nil {
		return nil, err
	}
	return s, nil
}

// At is the semaphore that was made in this memory. Error: EINVAL, as for [Init].
func At(memory []byte) (*Sem, error) {
	addr := unsafe.Pointer(unsafe.SliceData(memory))
	if len(memory) < Size || uintptr(addr)%uintptr(Alignment) != 0 {
		return nil, errs.Call("sem_init", unix.EINVAL)
	}
	return &Sem{addr: addr, direct: direct()}, nil
}

// New makes a semaphore for the threads of this process, in memory of its own that
// [Sem.Destroy] frees. Error: EINVAL (a value over SEM_VALUE_MAX).
func New(value uint) (*Sem, error) {
	s := &Sem{addr: C.calloc(1, C.unp_sem_size()), direct: direct(), ours: true}
	if err := s.init(false, value); err != nil {
		C.free(s.addr)
		return nil, err
	}
	return s, nil
}

func (s *Sem) init(shared bool, value uint) error {
	if value > math.MaxUint32 {
		return errs.Call("sem_init", unix.EINVAL)
	}
	var between C.int
	if shared {
		between = 1
	}
	return errs.Call("sem_init", syscall.Errno(C.unp_sem_init(s.addr, between, C.uint(value))))
}

// Destroy ends a semaphore of [Init] or [New] at which nobody waits; memory that was
// given stays. See sem_destroy(3). Error: EINVAL (it has a name).
func (s *Sem) Destroy() error {
	if s.name != "" {
		return s.fail("sem_destroy", unix.EINVAL)
	}
	err := s.fail("sem_destroy", syscall.Errno(C.unp_sem_destroy(s.addr)))
	if s.ours {
		C.free(s.addr)
		s.addr = nil
	}
	return err
}

// fail is the error of a call, nil for errno 0.
func (s *Sem) fail(op string, errno syscall.Errno) error {
	if s.name != "" {
		return errs.Path(op, s.name, errno)
	}
	return errs.Call(op, errno)
}
