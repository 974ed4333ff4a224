package blocking

import (
	"context"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// never is a deadline so late that the kernel takes it for no deadline.
const never = 1 << 40

// DoTimed is [Do] for a function of libc's that waits for a lock or a condition and
// does not return EINTR, but goes on waiting; call gives it the deadline, which is
// one of the real-time clock. After each interruption such a function hands the kernel
// the same struct timespec again. So when ctx ends the deadline is first moved into the
// past, and then the sleep interrupted: the next one fails with ETIMEDOUT at once, in
// libc's own way, with its own books in order.
func DoTimed(ctx context.Context, call func(deadline *unix.Timespec) syscall.Errno) error {
	deadline := &unix.Timespec{Sec: never}
	return do(ctx, unix.ETIMEDOUT,
		func() { atomic.StoreInt64(&deadline.Sec, 0) },
		func() syscall.Errno { return call(deadline) })
}
