package transfer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixmq"
	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/measure"
)

// queueDepth is how many messages a POSIX queue is to hold: the greatest number that
// needs no privilege by default.
const queueDepth = 10

// openPosixQueues makes a queue for each direction. They hold fewer messages where
// RLIMIT_MSGQUEUE has no room for more.
func (c *channel) openPosixQueues(size int) error {
	for depth := queueDepth; ; depth /= 2 {
		err := c.openQueuesOf(depth, max(size, sumSize))
		if errors.Is(err, unix.EMFILE) && depth > 1 {
			continue
		}
		return err
	}
}

func (c *channel) openQueuesOf(depth, size int) error {
	names := [2]string{objectName("there"), objectName("back")}
	for _, name := range names {
		q, err := posixmq.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600, &posixmq.Attr{MaxMsg: depth, MsgSize: size})
		if err == nil {
			c.remove = append(c.remove, func() { _ = posixmq.Unlink(name) })
			err = q.Close() // the roles open it by name
		}
		if err != nil {
			c.close()
			return queueLimit(err, depth, size)
		}
	}
	c.ends[0] = end{in: names[1], out: names[0]}
	c.ends[1] = end{in: names[0], out: names[1]}
	return nil
}

// queueLimit says which limit a queue has run into.
func queueLimit(err error, depth, size int) error {
	limits, limitsErr := posixmq.ReadLimits()
	if limitsErr != nil {
		return errors.Join(err, limitsErr)
	}
	switch {
	case errors.Is(err, unix.EINVAL) && size > limits.MsgSizeMax:
		return measure.Skip("a message of %d bytes is over the limit of %d: sysctl fs.mqueue.msgsize_max=%[1]d "+
			"(docker run --sysctl fs.mqueue.msgsize_max=%[1]d)", size, limits.MsgSizeMax)
	case errors.Is(err, unix.EINVAL) && depth > limits.MsgMax:
		return measure.Skip("a queue of %d messages is over the limit of %d: sysctl fs.mqueue.msg_max=%[1]d "+
			"(docker run --sysctl fs.mqueue.msg_max=%[1]d)", depth, limits.MsgMax)
	case errors.Is(err, unix.EMFILE) && depth == 1:
		return measure.Skip("two queues of one message of %d bytes are over RLIMIT_MSGQUEUE, %d bytes for all queues "+
			"of a user: ulimit -q %[3]d (docker run --ulimit msgqueue=%[3]d)", size, limits.Bytes, 4*size+4096)
	case errors.Is(err, unix.ENOSPC):
		return measure.Skip("%w: sysctl fs.mqueue.queues_max=%d", err, limits.QueuesMax+2)
	}
	return err
}

// posixQueue is one direction.
type posixQueue struct {
	*posixmq.Queue
	room []byte // of the queue's message size
}

func openPosixQueue(name string, flags int) (*posixQueue, error) {
	q, err := posixmq.Open(name, flags, 0, nil)
	if err != nil {
		return nil, err
	}
	attr, err := q.Attr()
	return &posixQueue{q, make([]byte, attr.MsgSize)}, err
}

func (q *posixQueue) Write(m []byte) (int, error) { return len(m), q.Send(m, 0) }

// Read receives into p if that has the room which a queue wants for any message.
func (q *posixQueue) Read(p []byte) (int, error) {
	if len(p) >= len(q.room) {
		n, _, err := q.Receive(p)
		return n, err
	}
	n, _, err := q.Receive(q.room)
	return copy(p, q.room[:n]), err
}

// openSysvQueue makes one queue for both directions, which are its types 1 and 2.
func (c *channel) openSysvQueue(size int) error {
	info, err := sysvmq.ReadInfo()
	if err != nil {
		return err
	}
	need := max(size, sumSize)
	if need > info.MaxMessage {
		return measure.Skip("a message of %d bytes is over the limit of %d: sysctl kernel.msgmax=%[1]d kernel.msgmnb=%[3]d "+
			"(docker run --sysctl kernel.msgmax=%[1]d --sysctl kernel.msgmnb=%[3]d)", need, info.MaxMessage, 2*need)
	}
	q, err := sysvmq.Get(queueKey(), sysvmq.Create|sysvmq.Excl|0o600)
	if err != nil {
		return err
	}
	c.remove = append(c.remove, func() { _ = q.Remove() })
	st, err := q.Stat()
	if err == nil && st.MaxBytes < 2*need {
		had := st.MaxBytes
		st.MaxBytes = 2 * need
		if err = q.Set(st); errors.Is(err, unix.EPERM) && had >= need {
			err = nil // one message at a time
		} else if errors.Is(err, unix.EPERM) {
			err = measure.Skip("a message of %d bytes is more than a queue holds, %d: sysctl kernel.msgmnb=%[3]d "+
				"(docker run --sysctl kernel.msgmnb=%[3]d)", need, had, 2*need)
		}
	}
	if err != nil {
		c.close()
		return err
	}
	c.ends[0] = end{in: queueKey().String() + ":2", out: queueKey().String() + ":1"}
	c.ends[1] = end{in: queueKey().String() + ":1", out: queueKey().String() + ":2"}
	return nil
}

// sysvQueue is one direction: the messages of one type.
type sysvQueue struct {
	queue   *sysvmq.Queue
	mtype   int64
	message *sysvmq.Message
}

// openSysv opens the queue that KEY:TYPE stands for.
func openSysv(where string, size int) (*sysvQueue, error) {
	keyText, typeText, _ := strings.Cut(where, ":")
	key, keyErr := strconv.ParseUint(keyText, 0, 32)
	mtype, typeErr := strconv.ParseInt(typeText, 10, 64)
	if keyErr != nil || typeErr != nil || mtype < 1 {
		return nil, fmt.Errorf("%q: not KEY:TYPE of a System V queue", where)
	}
	q, err := sysvmq.Get(sysvmq.Key(key), 0)
	if err != nil {
		return nil, err
	}
	// One byte more shows a message that is too long.
	m := sysvmq.NewMessage(max(size, sumSize) + 1)
	m.SetType(mtype)
	return &sysvQueue{q, mtype, m}, nil
}

func (q *sysvQueue) Write(m []byte) (int, error) {
	copy(q.message.Data(), m)
	return len(m), q.queue.SendMessage(context.Background(), q.message, len(m), 0)
}

func (q *sysvQueue) Read(p []byte) (int, error) {
	n, err := q.queue.ReceiveMessage(context.Background(), q.message, q.mtype, 0)
	if err != nil {
		return 0, err
	}
	return copy(p, q.message.Data()[:n]), nil
}
