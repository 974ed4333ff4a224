package posixmq

import (
	"context"
	"syscall"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
)

// SendContext is [Queue.Send] until ctx ends, even on a non-blocking queue. It holds
// no thread while it waits. On the end of ctx, nothing was sent.
func (q *Queue) SendContext(ctx context.Context, msg []byte, priority uint) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if q.senders.empty() {
		if errno := q.trySend(msg, priority); errno != unix.EAGAIN {
			return errs.Path("mq_send", q.name, errno)
		}
	}
	return q.senders.wait(ctx, q, "mq_send", func() syscall.Errno { return q.trySend(msg, priority) })
}

// ReceiveContext is [Queue.Receive] until ctx ends, even on a non-blocking queue. It
// holds no thread while it waits; those who wait get their messages in the order in
// which they came. On the end of ctx, no message was taken.
func (q *Queue) ReceiveContext(ctx context.Context, buf []byte) (n int, priority uint, err error) {
	if ctx.Err() != nil {
		return 0, 0, context.Cause(ctx)
	}
	if q.receivers.empty() {
		n, priority, errno := q.tryReceive(buf)
		if errno != unix.EAGAIN {
			return n, priority, errs.Path("mq_receive", q.name, errno)
		}
	}
	return q.receiveInLine(ctx, buf)
}

// receiveInLine is apart so that only those who wait pay for what the closure shares.
func (q *Queue) receiveInLine(ctx context.Context, buf []byte) (n int, priority uint, err error) {
	err = q.receivers.wait(ctx, q, "mq_receive", func() (errno syscall.Errno) {
		n, priority, errno = q.tryReceive(buf)
		return errno
	})
	return n, priority, err
}

// trySend is a trial on descriptors that stay open meanwhile; EAGAIN on any queue that
// is full.
func (q *Queue) trySend(msg []byte, priority uint) syscall.Errno {
	q.mu.RLock()
	defer q.mu.RUnlock()
	return again(q.trial().send(msg, priority))
}

// tryReceive is one likewise.
func (q *Queue) tryReceive(buf []byte) (n int, priority uint, errno syscall.Errno) {
	q.mu.RLock()
	defer q.mu.RUnlock()
	n, priority, errno = q.trial().receive(buf)
	return n, priority, again(errno)
}

func again(errno syscall.Errno) syscall.Errno {
	if wouldSleep(errno) {
		return unix.EAGAIN
	}
	return errno
}
