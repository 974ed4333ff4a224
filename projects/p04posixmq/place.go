package p04posixmq

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixmq"
)

// Defaults of both programs. The attributes are what Linux grants without privilege.
const (
	DefaultQueue       = "/job_queue"
	DefaultMaxMessages = 10
	DefaultMessageSize = 8192 // bytes
)

// MaxPriority is the greatest priority of a message: MQ_PRIO_MAX - 1.
const MaxPriority = 32767

// Place is where jobs go to: a queue, and the directory they are recorded in.
type Place struct {
	Queue string
	State string // directory; "": [DefaultState] of the queue
	// Attributes of the queue. 0 takes the default for a queue that is made, and any
	// for one that is there.
	MaxMessages int
	MessageSize int // bytes
}

// CheckQueueName says what is wrong with the name of a queue: mq_overview(7).
func CheckQueueName(name string) error {
	switch rest, slash := strings.CutPrefix(name, "/"); {
	case !slash:
		return fmt.Errorf("%q: the name of a queue begins with a slash", name)
	case rest == "" || rest == "." || rest == ".." || strings.Contains(rest, "/"):
		return fmt.Errorf("%q: the name of a queue is a slash and then no other", name)
	case len(rest) > unix.NAME_MAX:
		return fmt.Errorf("%q: the name of a queue has at most %d characters", name, unix.NAME_MAX)
	}
	return nil
}

// DefaultState is the directory for a queue's jobs: in $XDG_RUNTIME_DIR, or in /tmp
// with the user in its name.
func DefaultState(queue string) string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, statePrefix+queue[1:])
	}
	return fmt.Sprintf("/tmp/%s%d-%s", statePrefix, unix.Geteuid(), queue[1:])
}

const statePrefix = "unpipc-jobs-"

func (p *Place) stateDir() string {
	if p.State != "" {
		return p.State
	}
	return DefaultState(p.Queue)
}

// open opens the queue, non-blocking, and makes it if need be. What is sent there
// gets executed: a queue that others may write to, or read, is refused.
func (p *Place) open(access int) (*posixmq.Queue, posixmq.Attr, error) {
	attr := posixmq.Attr{MaxMsg: p.MaxMessages, MsgSize: p.MessageSize}
	if attr.MaxMsg == 0 {
		attr.MaxMsg = DefaultMaxMessages
	}
	if attr.MsgSize == 0 {
		attr.MsgSize = DefaultMessageSize
	}
	q, err := posixmq.Open(p.Queue, access|unix.O_CREAT|unix.O_NONBLOCK, 0o600, &attr)
	if err != nil {
		return nil, attr, explain(p.Queue, &attr, err)
	}
	var now posixmq.Attr
	if err = private(q); err == nil {
		now, err = q.Attr()
	}
	if err == nil && (p.MaxMessages != 0 && now.MaxMsg != attr.MaxMsg || p.MessageSize != 0 && now.MsgSize != attr.MsgSize) {
		err = fmt.Errorf("%s exists with room for %d messages of %d bytes, which cannot be changed", p.Queue, now.MaxMsg, now.MsgSize)
	}
	if err != nil {
		return nil, now, errors.Join(err, q.Close())
	}
	return q, now, nil
}

// private is nil for a queue that is this user's alone.
func private(q *posixmq.Queue) error {
	var st unix.Stat_t
	if err := unix.Fstat(q.Fd(), &st); err != nil {
		return &os.PathError{Op: "fstat", Path: q.Name(), Err: err}
	}
	if int(st.Uid) != unix.Geteuid() {
		return fmt.Errorf("%s: another user's queue", q.Name())
	}
	if st.Mode&0o077 != 0 {
		return fmt.Errorf("%s: others may use this queue (mode %04o), and what it carries is executed", q.Name(), st.Mode&0o7777)
	}
	return nil
}

// explain says which limit an mq_open ran into.
func explain(name string, attr *posixmq.Attr, err error) error {
	limits, failed := posixmq.ReadLimits()
	if failed != nil {
		return err
	}
	switch {
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%s: %d messages of %d bytes are refused: without privilege fs.mqueue.msg_max=%d and "+
			"fs.mqueue.msgsize_max=%d are the limits (sysctl -w fs.mqueue.msg_max=%d fs.mqueue.msgsize_max=%d)", name,
			attr.MaxMsg, attr.MsgSize, limits.MsgMax, limits.MsgSizeMax,
			max(attr.MaxMsg, limits.MsgMax), max(attr.MsgSize, limits.MsgSizeMax))
	case errors.Is(err, unix.EMFILE):
		return fmt.Errorf("%s: %d messages of %d bytes are too much for RLIMIT_MSGQUEUE (ulimit -q: %d bytes for all "+
			"queues of a user), or there are too many open files", name, attr.MaxMsg, attr.MsgSize, limits.Bytes)
	case errors.Is(err, unix.ENOSPC):
		return fmt.Errorf("%s: there are fs.mqueue.queues_max=%d queues already (sysctl -w fs.mqueue.queues_max=%d)", name,
			limits.QueuesMax, 2*limits.QueuesMax)
	}
	return err
}
