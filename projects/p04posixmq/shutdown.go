package p04posixmq

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
)

// drainSignal tells a dispatcher to run everything that is queued, and then to end.
const drainSignal = unix.SIGUSR2

var (
	// ErrNoDispatcher is in the error of [Shutdown] when there is none.
	ErrNoDispatcher = errors.New("no dispatcher is running")

	errStillRuns = errors.New("the dispatcher is still running")
)

// Shutdown tells the dispatcher to run everything that is queued and to end, and
// waits until it has, as long as patience allows.
func Shutdown(ctx context.Context, p Place, patience Patience) error {
	s, err := openState(p.stateDir(), false)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", p.Queue, ErrNoDispatcher)
	} else if err != nil {
		return err
	}
	fd, err := s.dispatcher(p.Queue)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	last, err := s.last()
	if err != nil {
		return err
	}
	if err := unix.PidfdSendSignal(fd, drainSignal, nil, 0); err != nil {
		return os.NewSyscallError("pidfd_send_signal", err)
	}
	if patience.Nonblock {
		return nil
	}
	if patience.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, patience.Timeout,
			fmt.Errorf("%s: %w after %g s", p.Queue, errStillRuns, patience.Timeout.Seconds()))
		defer cancel()
	}
	if err := ended(ctx, fd); err != nil {
		return err
	}
	for _, folder := range []string{"running", "jobs"} {
		ids, err := s.ids(folder)
		if err != nil {
			return err
		}
		if len(ids) > 0 && ids[0] <= last {
			return fmt.Errorf("%s: the dispatcher has ended before job %d did", p.Queue, ids[0])
		}
	}
	return nil
}

// dispatcher is a descriptor of the dispatcher's process: pidfd_open(2).
func (s state) dispatcher(queue string) (int, error) {
	for {
		pid, err := s.owner()
		switch {
		case err != nil:
			return -1, err
		case pid == 0:
			return -1, fmt.Errorf("%s: %w", queue, ErrNoDispatcher)
		case pid < 0:
			return -1, fmt.Errorf("%s: the dispatcher is in another pid namespace", queue)
		}
		fd, err := unix.PidfdOpen(pid, 0)
		if err == unix.ESRCH {
			continue
		} else if err != nil {
			return -1, os.NewSyscallError("pidfd_open", err)
		}
		// Had the number come to name another process before it was opened, that
		// would not have the lock.
		if again, err := s.owner(); err == nil && again == pid {
			return fd, nil
		}
		_ = unix.Close(fd)
	}
}

// ended waits for the end of a process that is no child.
func ended(ctx context.Context, pidfd int) error {
	r, w, err := pipe.New(0)
	if err != nil {
		return err
	}
	defer r.Close()
	stop := context.AfterFunc(ctx, func() { _ = w.Close() }) // wakes the poll
	defer func() {
		if stop() {
			_ = w.Close()
		}
	}()
	for {
		fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}, {Fd: int32(r.Fd())}}
		switch _, err := unix.Poll(fds, -1); {
		case err == unix.EINTR:
		case err != nil:
			return os.NewSyscallError("poll", err)
		case fds[0].Revents != 0:
			return nil
		case fds[1].Revents != 0:
			return context.Cause(ctx)
		}
	}
}
