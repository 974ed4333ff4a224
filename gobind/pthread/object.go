package pthread

/*
#include <stdlib.h>
*/
import "C"

import (
	"context"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
)

// object is one of libc's, somewhere in memory.
type object[T any] struct {
	c   *T
	own bool // in memory of its own
}

// objectAt is the one in the caller's memory; call is what would have made it. Error:
// EINVAL (memory that is too small or not aligned).
func objectAt[T any](memory []byte, alignment int, call string) (o object[T], err error) {
	address := unsafe.Pointer(unsafe.SliceData(memory))
	if len(memory) < int(unsafe.Sizeof(*o.c)) || uintptr(address)%uintptr(alignment) != 0 {
		return o, errs.Call(call, unix.EINVAL)
	}
	return object[T]{c: (*T)(address)}, nil
}

// newObject is zeroed memory of its own.
func newObject[T any]() object[T] {
	var none T
	return object[T]{(*T)(C.calloc(1, C.size_t(unsafe.Sizeof(none)))), true}
}

func (o *object[T]) free() {
	if o.own {
		C.free(unsafe.Pointer(o.c))
		*o = object[T]{}
	}
}

// destroyed ends an object, which is still there after an error.
func (o *object[T]) destroyed(call string, errno syscall.Errno) error {
	if errno == 0 {
		o.free()
	}
	return errs.Call(call, errno)
}

// made is the object whose making gave err.
func made[O interface{ free() }](o O, err error) (O, error) {
	if err != nil {
		o.free()
		var none O
		return none, err
	}
	return o, nil
}

// lockContext locks with the first call, which does not sleep, or with the second, until
// ctx ends. Both are called on a pinned goroutine.
func lockContext(ctx context.Context, call string, try func() syscall.Errno, timed func(*unix.Timespec) syscall.Errno) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	runtime.LockOSThread()
	errno := try()
	if errno != unix.EBUSY && errno != unix.ETIMEDOUT {
		return locked(call, errno)
	}
	err := blocking.DoTimed(ctx, timed)
	errno, ok := err.(syscall.Errno)
	if err != nil && !ok {
		runtime.UnlockOSThread()
		return err
	}
	return locked(call, errno)
}
