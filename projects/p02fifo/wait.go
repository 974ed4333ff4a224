package p02fifo

import (
	"context"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
)

// waiter sleeps until a descriptor is ready, a time has come, or its context has
// ended. One poll(2) does all three: the end of the context closes a pipe.
type waiter struct {
	fds   []unix.PollFd // what it was made with, and behind that the pipe
	ctx   context.Context
	ended *pipe.Reader
	held  *pipe.Writer
	stop  func() bool
}

func newWaiter(ctx context.Context, fds ...unix.PollFd) (*waiter, error) {
	r, w, err := pipe.New(unix.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	fds = append(fds, unix.PollFd{Fd: int32(r.Fd())})
	// stop decides, once, who closes the write end.
	return &waiter{fds, ctx, r, w, context.AfterFunc(ctx, func() { _ = w.Close() })}, nil
}

func (w *waiter) close() {
	if w.stop() {
		_ = w.held.Close()
	}
	_ = w.ended.Close()
}

// glanceAtMost is how long a wait may last without Go's scheduler being told. Most
// answers are there by then, and a scheduler that is told of a wait wakes up a
// thread or two to see to it, which costs more than the wait. Meanwhile the wait
// passes for a computation, which the scheduler interrupts when it has to. Much
// less than a clock tick would cost too: the hardware's timer would be set anew.
const glanceAtMost = 10 * time.Millisecond

// wait returns when a descriptor is ready or deadline has passed; without one, it
// waits for ever. Its error is the context's cause when that has ended.
func (w *waiter) wait(deadline time.Time) error {
	for {
		n, err := w.glance()
		if n == 0 && err == nil {
			timeout := -1
			if !deadline.IsZero() {
				// Rounded up: waking early would only mean to poll again.
				timeout = int((max(0, time.Until(deadline)) + time.Millisecond - 1) / time.Millisecond)
			}
			_, err = unix.Poll(w.fds, timeout)
		}
		switch {
		case err == unix.EINTR:
		case err != nil:
			return os.NewSyscallError("poll", err)
		case w.fds[len(w.fds)-1].Revents != 0:
			return context.Cause(w.ctx)
		default:
			return nil
		}
	}
}

// glance is a short poll(2) that the scheduler takes for a computation.
func (w *waiter) glance() (int, error) {
	limit := unix.NsecToTimespec(int64(glanceAtMost))
	n, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&w.fds[0])), uintptr(len(w.fds)),
		uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
