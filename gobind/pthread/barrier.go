package pthread

/*
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
	object[C.pthread_barrier_t]
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
	return made(b, b.init(count, shared))
}

// NewBarrier is [InitBarrier] in memory of its own, which [Barrier.Destroy] frees.
func NewBarrier(count int, shared bool) (*Barrier, error) {
	b := &Barrier{newObject[C.pthread_barrier_t]()}
	return made(b, b.init(count, shared))
}

// BarrierAt is the barrier that was made in this memory. Error: EINVAL, as for
// [InitBarrier].
func BarrierAt(memory []byte) (*Barrier, error) {
	o, err := objectAt[C.pthread_barrier_t](memory, BarrierAlignment, "pthread_barrier_init")
	return made(&Barrier{o}, err)
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
	return b.destroyed("pthread_barrier_destroy", syscall.Errno(C.pthread_barrier_destroy(b.c)))
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
