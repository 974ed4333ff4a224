package posixmq

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
)

// Where calls find room or a message, each begins with a trial.

// Send sends one message of 0 to MsgSize bytes with a priority from 0 to 32767. It
// sleeps while the queue is full, unless it is non-blocking: mq_send(3).
func (q *Queue) Send(msg []byte, priority uint) error {
	return errs.Path("mq_send", q.name, q.send(msg, priority, nil))
}

// SendBy is [Queue.Send] with a limit: ETIMEDOUT if the queue is still full at the
// deadline, a time of the real-time clock. EINVAL for a time before 1970, even if
// there is room: mq_timedsend(3).
func (q *Queue) SendBy(deadline time.Time, msg []byte, priority uint) error {
	ts, errno := timespec(deadline)
	if errno == 0 {
		errno = q.send(msg, priority, &ts)
	}
	return errs.Path("mq_timedsend", q.name, errno)
}

// Receive takes the oldest message of the highest priority out of the queue; buf
// must have room for MsgSize bytes, whatever the message has. It sleeps while the
// queue is empty, unless it is non-blocking: mq_receive(3).
func (q *Queue) Receive(buf []byte) (n int, priority uint, err error) {
	n, priority, errno := q.receive(buf, nil)
	return n, priority, errs.Path("mq_receive", q.name, errno)
}

// ReceiveBy is [Queue.Receive] with a limit: ETIMEDOUT if the queue is still empty at
// the deadline, a time of the real-time clock. EINVAL for a time before 1970, even if
// there is a message: mq_timedreceive(3).
func (q *Queue) ReceiveBy(deadline time.Time, buf []byte) (n int, priority uint, err error) {
	ts, errno := timespec(deadline)
	if errno == 0 {
		n, priority, errno = q.receive(buf, &ts)
	}
	return n, priority, errs.Path("mq_timedreceive", q.name, errno)
}

// send may sleep until the deadline, or for as long as it takes without one.
func (q *Queue) send(msg []byte, priority uint, deadline *unix.Timespec) syscall.Errno {
	if q.sending.try() {
		errno := q.trial().send(msg, priority)
		if !wouldSleep(errno) {
			return errno
		}
		q.sending.left.Store(sleepersAfterTrial)
	}
	return send(q.Fd(), msg, priority, deadline)
}

// receive may sleep, likewise.
func (q *Queue) receive(buf []byte, deadline *unix.Timespec) (n int, priority uint, errno syscall.Errno) {
	if q.receiving.try() {
		n, priority, errno = q.trial().receive(buf)
		if !wouldSleep(errno) {
			return n, priority, errno
		}
		q.receiving.left.Store(sleepersAfterTrial)
	}
	return receive(q.Fd(), buf, deadline)
}

// timespec refuses what the kernel would refuse only when it came to sleep.
func timespec(t time.Time) (unix.Timespec, syscall.Errno) {
	ts, err := unix.TimeToTimespec(t)
	if err == nil && ts.Sec < 0 {
		err = unix.EINVAL
	}
	return ts, errs.Errno(err)
}
