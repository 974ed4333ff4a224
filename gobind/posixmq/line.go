package posixmq

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
)

// line is where those wait who want to go in one direction of a queue. Only whoever has
// the turn waits in Go's poller, the others for their turn: a message wakes one, not
// all, and each context ends its own goroutine alone.
type line struct {
	events uint32        // EPOLLIN or EPOLLOUT
	length atomic.Int32  // who has the turn or waits for it
	turn   chan struct{} // holds a token while somebody has the turn
	file   *os.File      // readable when the queue is ready; opened when first needed
}

// empty says that a newcomer overtakes nobody.
func (l *line) empty() bool { return l.length.Load() == 0 }

// wait makes the call as soon as it does not fail with EAGAIN, until ctx ends.
func (l *line) wait(ctx context.Context, q *Queue, op string, call func() syscall.Errno) error {
	l.length.Add(1)
	defer l.length.Add(-1)
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
		return l.poll(ctx, q, op, call)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// poll is wait for whoever has the turn.
func (l *line) poll(ctx context.Context, q *Queue, op string, call func() syscall.Errno) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	conn, err := l.open(q)
	if err != nil {
		return errs.Path(op, q.name, errs.Errno(err))
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		_ = l.file.SetReadDeadline(time.Unix(1, 0)) // wakes the poller; fails after Close only
	})
	var errno syscall.Errno
	err = conn.Read(func(uintptr) bool {
		errno = call()
		return errno != unix.EAGAIN
	})
	if !stop() {
		<-ended
		_ = l.file.SetReadDeadline(time.Time{}) // it was not the next one's context
	}
	switch {
	case err == nil:
		return errs.Path(op, q.name, errno)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return context.Cause(ctx)
	}
	return errs.Path(op, q.name, unix.EBADF)
}

// open gives what the poller waits for: an epoll instance that watches the queue. The
// queue's own descriptor will not do, because Go polls non-blocking descriptors only
// and O_NONBLOCK is seen by whoever shares it; opening the queue once more needs a
// permission that this process may have given up since.
func (l *line) open(q *Queue) (syscall.RawConn, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l.file == nil {
		ep, err := watch(q.Fd(), l.events)
		if err != nil {
			return nil, err
		}
		l.file = os.NewFile(uintptr(ep), q.name)
	}
	return l.file.SyscallConn() // after Close, of a file that is closed
}

// watch makes a descriptor that is readable when one of events is on fd.
func watch(fd int, events uint32) (int, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return -1, err
	}
	err = unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events})
	if err == nil {
		err = unix.SetNonblock(ep, true) // Go polls no other
	}
	if err != nil {
		unix.Close(ep)
		return -1, err
	}
	return ep, nil
}

// close ends the waiting of whoever has the turn, who lets the next one see it too.
func (l *line) close() {
	if l.file != nil {
		l.file.Close()
	}
}
