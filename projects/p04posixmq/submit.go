package p04posixmq

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixmq"
)

// Patience says how long [Submit] waits for room in a full queue. The zero value
// waits for ever.
type Patience struct {
	Nonblock bool
	Timeout  time.Duration
}

// Submit queues a command with a priority from 0 to [MaxPriority] and returns its
// number. It need not have a dispatcher. If ctx ends while the queue is full, the
// error is its cause.
//
// An error means that the job is not queued and will not be: its file is removed,
// and should that be gone already, a dispatcher has taken the job, which is success.
func Submit(ctx context.Context, p Place, priority uint, command string, patience Patience) (int64, error) {
	s, err := openState(p.stateDir(), true)
	if err != nil {
		return 0, err
	}
	draft, err := s.draft(priority, command)
	if err != nil {
		return 0, err
	}
	defer os.Remove(draft)

	var q *posixmq.Queue
	var attr posixmq.Attr
	id, err := s.publish(draft, func(id int64) (err error) {
		// Under the lock: a dispatcher that ends removes the queue under it, too,
		// and only when no job waits.
		if q == nil {
			if q, attr, err = p.open(unix.O_WRONLY); err != nil {
				return err
			}
		}
		if n := len(message(id, command)); n > attr.MsgSize {
			return fmt.Errorf("%s: the job needs a message of %d bytes, and %d are the limit", p.Queue, n, attr.MsgSize)
		}
		return nil
	})
	if q != nil {
		defer q.Close()
	}
	if err == nil {
		err = send(ctx, q, message(id, command), priority, patience)
	}
	if id == 0 || err == nil {
		return id, err
	}
	if removed := os.Remove(s.of("jobs", id)); errors.Is(removed, fs.ErrNotExist) {
		return id, nil
	} else if removed != nil {
		return 0, errors.Join(err, removed)
	}
	if errors.Is(err, errFull) {
		err = fmt.Errorf("%s is %w (%d messages)%s; the job is not queued", p.Queue, err, attr.MaxMsg, s.forlorn())
	}
	return 0, err
}

// errFull is in the error of a queue without room.
var errFull = errors.New("full")

// send is mq_send(3), or mq_timedsend(3), that ends with ctx.
func send(ctx context.Context, q *posixmq.Queue, msg []byte, priority uint, patience Patience) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// However short the time, a queue with room takes the message.
	if err := q.Send(msg, priority); !errors.Is(err, unix.EAGAIN) {
		return err
	}
	if patience.Nonblock {
		return errFull
	}
	if patience.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, patience.Timeout, stillFull(patience.Timeout))
		defer cancel()
	}
	return q.SendContext(ctx, msg, priority)
}

func stillFull(after time.Duration) error {
	return fmt.Errorf("still %w after %g s", errFull, after.Seconds())
}

// forlorn is the reason why nothing gets out of the queue, "" where there is none.
func (s state) forlorn() string {
	if pid, err := s.owner(); err == nil && pid == 0 {
		return ", and no dispatcher is running"
	}
	return ""
}
