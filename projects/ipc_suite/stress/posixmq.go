package stress

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixmq"
)

// posixMQScenario has a queue for four messages, which is full most of the time.
var posixMQScenario = Scenario{
	Name:     "posix_mq",
	Checks:   "every message comes once and by priority; a killed receiver loses no more than the one in its hands",
	Sabotage: "one message is sent with another priority",
	workers:  receivers + 3, ops: 2000, victim: 1, saboteur: 3,
	deaths: mailDeaths,
	round: withQueue(func(r *round, q *posixmq.Queue) error {
		if err := r.mailRound(); err != nil {
			return err
		}
		attr, err := q.Attr()
		if err != nil {
			return err
		}
		return r.verify(attr.CurMsgs == 0, "nothing is left in the queue", "%d messages", attr.CurMsgs)
	}),
	work: func(w *worker) error {
		q, err := posixmq.Open(w.args[0], unix.O_RDWR, 0, nil)
		if err != nil {
			return err
		}
		if w.index == 0 {
			if err := w.noMoreQueues(); err != nil {
				return err
			}
		}
		long := time.Unix(1, 0) // ago
		return w.atMail(&mail{
			most: letter, classes: 3,
			try:  func(m []byte, class uint64) error { return again(q.SendBy(long, m, uint(class))) },
			send: func(m []byte, class uint64) error { return q.Send(m, uint(class)) },
			receive: func(buf []byte) (int, uint64, error) {
				n, priority, err := q.ReceiveBy(time.Now().Add(look), buf)
				return n, uint64(priority), again(err)
			},
			first: func(class, other uint64) bool { return class > other },
			wrong: func(class uint64) []uint64 { return []uint64{class + 1} },
		})
	},
}

const (
	letter = 256                   // bytes in a message of a queue
	look   = 50 * time.Millisecond // how long a receiver sleeps before it looks whether all is over
)

// withQueue gives each round a queue for four messages, whose name is the workers' argument.
func withQueue(run func(r *round, q *posixmq.Queue) error) func(r *round) error {
	return func(r *round) (err error) {
		name := r.name()
		q, err := posixmq.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600, &posixmq.Attr{MaxMsg: 4, MsgSize: letter})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, q.Close(), posixmq.Unlink(name)) }()
		r.args = []string{name}
		return run(r, q)
	}
}

// again makes EAGAIN of ETIMEDOUT.
func again(err error) error {
	if errors.Is(err, unix.ETIMEDOUT) {
		return unix.EAGAIN
	}
	return err
}

// noMoreQueues verifies that a user's limit on queues is an error and nothing else. The
// limit is this process's own.
func (w *worker) noMoreQueues() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MSGQUEUE, &limit); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	none := unix.Rlimit{Cur: 0, Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_MSGQUEUE, &none); err != nil {
		return os.NewSyscallError("setrlimit", err)
	}
	name := w.args[0] + "-more"
	_, err := posixmq.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600, &posixmq.Attr{MaxMsg: 1, MsgSize: 1})
	if err == nil {
		_ = posixmq.Unlink(name)
	}
	w.slot.full.Add(1)
	return errors.Join(w.verify(errors.Is(err, unix.EMFILE), "a queue over RLIMIT_MSGQUEUE is EMFILE", "%v", err),
		os.NewSyscallError("setrlimit", unix.Setrlimit(unix.RLIMIT_MSGQUEUE, &limit)))
}
