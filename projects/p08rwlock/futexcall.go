package p08rwlock

import (
	"context"
	"math"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls of futex(2). See linux/futex.h, which package unix has not got.
const (
	futexWaitBitset    = 9
	futexWakeBitset    = 10
	futexClockRealtime = 256
)

// Who sleeps, and who is to be woken.
const (
	readersOnly = 1 << iota
	writersOnly
	both = readersOnly | writersOnly
)

// wait sleeps while the word has this value. Without an error the sleep may also have
// ended for no reason.
func (l *FutexRWLock) wait(value, who uint32, p patience) error {
	var ts unix.Timespec
	var timeout *unix.Timespec
	op := futexWaitBitset
	switch p.limit {
	case untilTime:
		ts, timeout = unix.Timespec{Sec: p.end.Unix(), Nsec: int64(p.end.Nanosecond())}, &ts
		op |= futexClockRealtime
		if ts.Sec < 0 {
			ts = unix.Timespec{} // the kernel takes no time before 1970
		}
	case forAWhile:
		_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
		left := max(0, time.Until(p.end)).Nanoseconds()
		ts = unix.NsecToTimespec(ts.Nano() + min(left, math.MaxInt64-ts.Nano()))
		timeout = &ts
	case untilDone:
		if p.ctx.Err() != nil {
			return context.Cause(p.ctx)
		}
	}
	switch errno := futex(l.word, op, value, timeout, who); errno {
	case 0, unix.EAGAIN, unix.EINTR:
		return nil
	case unix.ETIMEDOUT:
		return fail("timedlock", errno)
	default:
		return os.NewSyscallError("futex", errno)
	}
}

// wake wakes all, or one who waits to write.
func (l *FutexRWLock) wake(who uint32) {
	n := uint32(1)
	if who == both {
		n = math.MaxInt32
	}
	_ = futex(l.word, futexWakeBitset, n, nil, who)
}

// futex is the system call: value is what the word is expected to be, or how many to wake.
func futex(word *uint32, op int, value uint32, timeout *unix.Timespec, who uint32) syscall.Errno {
	if op == futexWakeBitset { // which does not sleep
		_, _, errno := syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), uintptr(op), uintptr(value),
			0, 0, uintptr(who))
		return errno
	}
	_, _, errno := syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), uintptr(op), uintptr(value),
		uintptr(unsafe.Pointer(timeout)), 0, uintptr(who))
	return errno
}
