// Package futex gives the kernel's half of user-space locks: to sleep while a word in
// memory has a value, and to wake who sleeps at it. futex(2), futex(7).
//
// The word may be in memory that processes share, usually a mapping of
// [unpipc/gobind/posixshm]; any process that maps it can wake the sleepers.
//
//	for word.Load() == asleep {
//		err := futex.Wait(word, asleep) // nil, or EAGAIN if it was not asleep any more
//	}
//
// # Errors
//
// *os.SyscallError: EAGAIN (the word has another value), ETIMEDOUT, EINVAL (not aligned
// to 4 bytes: not possible with an *atomic.Uint32). The end of a context is its cause.
// EINTR is never returned.
//
// # Caveats
//
//   - A nil error says that somebody called [Wake], not that anything has changed: look
//     again, in a loop.
//   - Who changes the word must do so before Wake, by an atomic operation, and who waits
//     must look at what he waits for after he has announced that he is about to sleep:
//     both need sequentially consistent operations, such as sync/atomic's.
//   - Each call that sleeps holds an operating system thread.
package futex

import (
	"context"
	"math"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/racedetect"
)

// The operations of futex(2) that are used here, without FUTEX_PRIVATE_FLAG.
const (
	opWake       = 1
	opWaitBitset = 9 // like FUTEX_WAIT, but until a point in time
	anyBit       = math.MaxUint32

	clockRealtime = 256 // of which clock; else of the monotonic one
)

// Wait sleeps while the word has this value and nobody wakes it. Error: EAGAIN.
func Wait(word *atomic.Uint32, value uint32) error { return wait(word, value, opWaitBitset, nil) }

// WaitBy is [Wait] until a point in time of the real-time clock, also when that is set
// meanwhile: ETIMEDOUT.
func WaitBy(word *atomic.Uint32, value uint32, deadline time.Time) error {
	ts := unix.Timespec{Sec: deadline.Unix(), Nsec: int64(deadline.Nanosecond())}
	if ts.Sec < 0 {
		ts = unix.Timespec{} // the kernel takes no time before 1970
	}
	return wait(word, value, opWaitBitset|clockRealtime, &ts)
}

// WaitFor is [Wait] for at most the given time, of the monotonic clock: ETIMEDOUT.
func WaitFor(word *atomic.Uint32, value uint32, d time.Duration) error {
	var now unix.Timespec
	// Cannot fail: the clock is always there.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	end := now.Nano()
	if d > 0 {
		end += min(d.Nanoseconds(), math.MaxInt64-end)
	}
	deadline := unix.NsecToTimespec(end)
	return wait(word, value, opWaitBitset, &deadline)
}

// WaitContext is [Wait] until ctx ends.
func WaitContext(ctx context.Context, word *atomic.Uint32, value uint32) error {
	err := blocking.Do(ctx, func() syscall.Errno { return sleep(word, value, opWaitBitset, nil) })
	if errno, ok := err.(syscall.Errno); ok {
		return errs.Call("futex", errno)
	}
	if err == nil {
		racedetect.Taken()
	}
	return err
}

func wait(word *atomic.Uint32, value uint32, op uintptr, deadline *unix.Timespec) error {
	for {
		// The deadline is a point in time, so it stays.
		errno := sleep(word, value, op, deadline)
		if errno == unix.EINTR {
			continue
		}
		racedetect.Taken()
		return errs.Call("futex", errno)
	}
}

func sleep(word *atomic.Uint32, value uint32, op uintptr, deadline *unix.Timespec) syscall.Errno {
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), op, uintptr(value),
		uintptr(unsafe.Pointer(deadline)), 0, anyBit)
	return errno
}

// Wake wakes at most so many sleepers at the word, and returns how many there were.
func Wake(word *atomic.Uint32, most int) (woken int, err error) {
	racedetect.Giving()
	n, _, errno := unix.RawSyscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), opWake, uintptr(min(max(most, 0), math.MaxInt32)))
	return int(n), errs.Call("futex", errno)
}
