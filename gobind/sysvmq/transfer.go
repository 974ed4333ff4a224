package sysvmq

import (
	"context"
	"syscall"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
)

// Send sends data as a message of a type. It sleeps while the queue is full, unless
// flags has NoWait. See msgsnd(2).
// Errors: EAGAIN (NoWait), EINVAL (a type under 1, or more than msgmax bytes).
func (q *Queue) Send(mtype int64, data []byte, flags int) error {
	return q.SendContext(context.Background(), mtype, data, flags)
}

// SendContext is [Queue.Send] until ctx ends; then nothing was sent.
func (q *Queue) SendContext(ctx context.Context, mtype int64, data []byte, flags int) error {
	m := borrow(len(data))
	defer spare.Put(m)
	m.SetType(mtype)
	copy(m.Data(), data)
	return q.SendMessage(ctx, m, len(data), flags)
}

// SendMessage is [Queue.SendContext] for the first n bytes of a message's data, without
// a copy. EINVAL also if n is more than there are.
func (q *Queue) SendMessage(ctx context.Context, m *Message, n, flags int) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if n < 0 || n > len(m.Data()) {
		return errs.Path("msgsnd", q.name, unix.EINVAL)
	}
	// Most calls find room, so one that cannot sleep goes first.
	errno := sendNow(q.id, m, n, flags|NoWait)
	if errno != unix.EAGAIN || flags&NoWait != 0 {
		return errs.Path("msgsnd", q.name, errno)
	}
	return q.outcome("msgsnd", blocking.Do(ctx, func() syscall.Errno {
		return sendLater(q.id, m, n, flags)
	}))
}

// Receive takes a message chosen by mtype (see the package's introduction) and copies
// its data to buf. It sleeps while there is none, unless flags has NoWait. A message
// that is longer than buf stays in the queue and is E2BIG, or is cut with NoError. With
// CopyOnly|NoWait, mtype is a position from 0 on and the message stays. See msgrcv(2).
// Errors: ENOMSG (NoWait), E2BIG, EINVAL (CopyOnly without NoWait or with Except).
func (q *Queue) Receive(buf []byte, mtype int64, flags int) (n int, gotType int64, err error) {
	return q.ReceiveContext(context.Background(), buf, mtype, flags)
}

// ReceiveContext is [Queue.Receive] until ctx ends; then no message was taken.
func (q *Queue) ReceiveContext(ctx context.Context, buf []byte, mtype int64, flags int) (n int, gotType int64, err error) {
	m := borrow(len(buf))
	defer spare.Put(m)
	n, err = q.ReceiveMessage(ctx, m, mtype, flags)
	if err != nil {
		return 0, 0, err
	}
	return copy(buf, m.Data()[:n]), m.Type(), nil
}

// ReceiveMessage is [Queue.ReceiveContext] into a message, without a copy; n is how many
// bytes of its data were received. After an error the message is as it was.
func (q *Queue) ReceiveMessage(ctx context.Context, m *Message, mtype int64, flags int) (n int, err error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	// Most calls find a message, so one that cannot sleep goes first. A copy without
	// NoWait is for the kernel to refuse.
	now := flags | NoWait
	if flags&CopyOnly != 0 {
		now = flags
	}
	n, errno := receiveNow(q.id, m, mtype, now)
	if errno != unix.ENOMSG || now == flags {
		return n, errs.Path("msgrcv", q.name, errno)
	}
	err = blocking.Do(ctx, func() (errno syscall.Errno) {
		n, errno = receiveLater(q.id, m, mtype, flags)
		return errno
	})
	return n, q.outcome("msgrcv", err)
}

// outcome is the error of [blocking.Do] as this package gives it.
func (q *Queue) outcome(op string, err error) error {
	if errno, ok := err.(syscall.Errno); ok {
		return errs.Path(op, q.name, errno)
	}
	return err
}
