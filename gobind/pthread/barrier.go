package pthread

/*
#include <stdlib.h>
#include "unp_pthread.h"

enum { barrier_alignment = _Alignof(pthread_barrier_t) };
*/
import "C"

import (
	"math"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/racedetect"
)

// BarrierSize is how many bytes of memory a barrier takes, BarrierAlignment what its
// address must be a multiple of.
const (
	BarrierSize      = C.sizeof_pthread_barrier_t
	BarrierAlignment = C.barrier_alignment
)

// Barrier is a pthread_barrier_t somewhere in memory. It may be used by several
// goroutines, and by other processes, at once, and again and again.
type Barrier struct {
	c   *C.pthread_barrier_t
	own bool // made by NewBarrier
}

// InitBarrier makes a barrier for count threads in memory, which must not be the Go
// heap. See pthread_barrier_init(3p).
// Errors: EINVAL (count is not positive or too large; memory that is too small or not
// aligned).
func InitBarrier(memory []byte, count int, shared bool) (*Barrier, error) {
	b, err := BarrierAt(memory)
	if err != nil {
		return nil, err
	}
	if err := b.init(count, shared); err != nil {
		return nil, err
	}
	return b, nil
}

// NewBarrier is [InitBarrier] in memory of its own, which [Barrier.Destroy] frees.
func NewBarrier(count int, shared bool) (*Barrier, error) {
	b := &Barrier{(*C.pthread_barrier_t)(C.calloc(1, BarrierSize)), true}
	if err := b.init(count, shared); err != nil {
		C.free(unsafe.Pointer(b.c))
		return nil, err
	}
	return b, nil
}

// BarrierAt is the barrier that was made in this memory. Error: EINVAL, as for
// [InitBarrier].
func BarrierAt(memory []byte) (*Barrier, error) {
	if !fits(memory, BarrierSize, BarrierAlignment) {
		return nil, errs.Call("pthread_barrier_init", unix.EINVAL)
	}
	return &Barrier{c: (*C.pthread_barrier_t)(unsafe.Pointer(unsafe.SliceData(memory)))}, nil
}

func (b *Barrier) init(count int, shared bool) error {
	if count < 0 || count > math.MaxInt32 {
		return errs.Call("pthread_barrier_init", unix.EINVAL)
	}
	return errs.Call("pthread_barrier_init", syscall.Errno(C.unp_barrier_init(unsafe.Pointer(b.c), C.bool(shared), C.uint(count))))
}

// Destroy ends a barrier, after all that were let through have left. See
// pthread_barrier_destroy(3p).
func (b *Barrier) Destroy() error {
	errno := syscall.Errno(C.pthread_barrier_destroy(b.c))
	if errno == 0 && b.own {
		C.free(unsafe.Pointer(b.c))
		b.c, b.own = nil, false
	}
	return errs.Call("pthread_barrier_destroy", errno)
}

// Wait sleeps until count threads have come; serial is true for one of them. There is no
// form with a limit or a context: who has come has been counted. See
// pthread_barrier_wait(3p).
func (b *Barrier) Wait() (serial bool, err error) {
	racedetect.Giving()
	errno := C.pthread_barrier_wait(b.c)
	racedetect.Taken()
	if errno == C.PTHREAD_BARRIER_SERIAL_THREAD {
		return true, nil
	}
	return false, errs.Call("pthread_barrier_wait", syscall.Errno(errno))
}
