// Package posixsem gives POSIX semaphores in memory that processes share:
// sem_overview(7), UNPv2 10.8 to 10.13.
//
// A semaphore is libc's own sem_t in memory that the caller provides, usually a
// mapping of [unpipc/gobind/posixshm], so a C program at the other end uses the
// same one. One process makes it by [Init]; the others find it by [At].
//
// # Errors
//
// *os.SyscallError with EAGAIN ([Sem.TryWait] at 0), ETIMEDOUT ([Sem.WaitBy]) or
// EOVERFLOW ([Sem.Post] at SEM_VALUE_MAX). The end of a context is its cause. EINTR is
// never returned.
//
// # Caveats
//
//   - A semaphore has no owner: what a killed process has taken stays taken.
//   - Memory that is unmapped while a call sleeps in it is the caller's fault, and so
//     is a semaphore that nobody has made by Init: its value is whatever stands there.
//   - Each call that sleeps holds an operating system thread.
package posixsem

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#include "unp_posixsem.h"
*/
import "C"

import (
	"context"
	"math"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/posixsem"
	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/racedetect"
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
	addr unsafe.Pointer
}

// Init makes a semaphore with the given value in memory, which must be shared between
// the processes that use it and must not be the Go heap. See sem_init(3).
// Errors: EINVAL (a value over SEM_VALUE_MAX; memory that is too small or not aligned).
func Init(memory []byte, value uint) (*Sem, error) {
	s, err := At(memory)
	if err != nil {
		return nil, err
	}
	if value > math.MaxUint32 {
		return nil, errs.Call("sem_init", unix.EINVAL)
	}
	if errno := C.unp_sem_init(s.addr, C.uint(value)); errno != 0 {
		return nil, errs.Call("sem_init", syscall.Errno(errno))
	}
	return s, nil
}

// At is the semaphore that was made in this memory. Error: EINVAL, as for [Init].
func At(memory []byte) (*Sem, error) {
	addr := unsafe.Pointer(unsafe.SliceData(memory))
	if len(memory) < Size || uintptr(addr)%uintptr(Alignment) != 0 {
		return nil, errs.Call("sem_init", unix.EINVAL)
	}
	return &Sem{addr}, nil
}

// Destroy ends a semaphore at which nobody waits; its memory stays. See sem_destroy(3).
func (s *Sem) Destroy() error {
	return errs.Call("sem_destroy", syscall.Errno(C.unp_sem_destroy(s.addr)))
}

// Wait takes 1 from the value, and sleeps while it is 0. See sem_wait(3).
func (s *Sem) Wait() error {
	for {
		errno := s.wait(C.UNP_FOREVER)
		if errno != unix.EINTR {
			return errs.Call("sem_wait", errno)
		}
	}
}

// WaitContext is [Sem.Wait] until ctx ends; then nothing was taken.
func (s *Sem) WaitContext(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errno := s.wait(0); errno != unix.EAGAIN {
		return errs.Call("sem_wait", errno)
	}
	err := blocking.Do(ctx, func() syscall.Errno { return s.wait(C.UNP_FOREVER) })
	if errno, ok := err.(syscall.Errno); ok {
		return errs.Call("sem_wait", errno)
	}
	return err
}

// TryWait is [Sem.Wait] without sleeping: EAGAIN at 0. See sem_trywait(3).
func (s *Sem) TryWait() error {
	return errs.Call("sem_trywait", s.wait(0))
}

// WaitBy is [Sem.Wait] with a limit: ETIMEDOUT if the value is still 0 at the deadline,
// a time of the real-time clock, which may be set meanwhile. See sem_timedwait(3).
func (s *Sem) WaitBy(deadline time.Time) error {
	for {
		errno := syscall.Errno(C.unp_sem_timedwait(s.addr,
			C.int64_t(deadline.Unix()), C.int64_t(deadline.Nanosecond())))
		if errno == unix.EINTR {
			continue
		}
		if errno == 0 {
			racedetect.Taken()
		}
		return errs.Call("sem_timedwait", errno)
	}
}

// Post adds 1 to the value and wakes one who waits. See sem_post(3).
// Error: EOVERFLOW.
func (s *Sem) Post() error {
	racedetect.Giving()
	return errs.Call("sem_post", syscall.Errno(C.unp_sem_post(s.addr)))
}

// Value is the value now; 0 while somebody waits. See sem_getvalue(3).
func (s *Sem) Value() (int, error) {
	var v C.int
	errno := syscall.Errno(C.unp_sem_getvalue(s.addr, &v))
	return int(v), errs.Call("sem_getvalue", errno)
}

func (s *Sem) wait(timeout C.int64_t) syscall.Errno {
	errno := syscall.Errno(C.unp_sem_wait(s.addr, timeout))
	if errno == 0 {
		racedetect.Taken()
	}
	return errno
}
