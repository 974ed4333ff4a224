package sysvsem

import (
	"context"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/racedetect"
)

// Op is one operation on one semaphore of a set: struct sembuf.
type Op struct {
	Sem uint16 // number of the semaphore
	// Add is added to the value. A negative one waits until the value is large enough;
	// 0 waits until the value is 0.
	Add   int16
	Flags int16 // NoWait, Undo
}

// Do makes all operations at once, in their order, as soon as none of them has to wait:
// until then no value is changed. It sleeps meanwhile, unless the operation that has to
// wait has NoWait. See semop(2).
// Errors: EAGAIN (NoWait), EFBIG (no such semaphore), ERANGE (a value over semvmx, or
// what is to be undone), E2BIG (more than semopm operations), EINVAL (none), ENOSPC
// (memory for Undo), EACCES.
func (s *Set) Do(ops ...Op) error {
	return s.DoContext(context.Background(), ops...)
}

// DoContext is [Set.Do] until ctx ends; then nothing was changed.
func (s *Set) DoContext(ctx context.Context, ops ...Op) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	racedetect.Giving()
	if errno, done := s.now(ops); done {
		return s.fail("semop", errno)
	}
	err := blocking.Do(ctx, func() syscall.Errno {
		_, _, errno := syscall.Syscall(unix.SYS_SEMOP, uintptr(s.id),
			uintptr(unsafe.Pointer(unsafe.SliceData(ops))), uintptr(len(ops)))
		return made(errno)
	})
	if errno, ok := err.(syscall.Errno); ok {
		return s.fail("semop", errno)
	}
	return err
}

// DoFor is [Set.Do] for at most the given time, whatever happens to the real-time
// clock: EAGAIN if an operation has to wait all the while. See semtimedop(2).
func (s *Set) DoFor(d time.Duration, ops ...Op) error {
	racedetect.Giving()
	if errno, done := s.now(ops); done {
		return s.fail("semtimedop", errno)
	}
	start := time.Now()
	for {
		left := unix.NsecToTimespec(max(0, d-time.Since(start)).Nanoseconds())
		_, _, errno := syscall.Syscall6(unix.SYS_SEMTIMEDOP, uintptr(s.id),
			uintptr(unsafe.Pointer(unsafe.SliceData(ops))), uintptr(len(ops)),
			uintptr(unsafe.Pointer(&left)), 0, 0)
		if errno != unix.EINTR {
			return s.fail("semtimedop", made(errno))
		}
	}
}

// few is how many operations are tried without sleeping first.
const few = 8

// now makes the operations if none of them has to wait; most need not. done says that
// there is nothing more to do, well or not.
func (s *Set) now(ops []Op) (errno syscall.Errno, done bool) {
	if len(ops) == 0 || len(ops) > few {
		return 0, false
	}
	var copied [few]Op
	mayWait := false
	for i, op := range ops {
		mayWait = mayWait || op.Flags&NoWait == 0
		op.Flags |= NoWait
		copied[i] = op
	}
	_, _, errno = syscall.RawSyscall(unix.SYS_SEMOP, uintptr(s.id),
		uintptr(unsafe.Pointer(&copied)), uintptr(len(ops)))
	return made(errno), errno != unix.EAGAIN || !mayWait
}

func made(errno syscall.Errno) syscall.Errno {
	if errno == 0 {
		racedetect.Taken()
	}
	return errno
}
