package stress

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
)

// sysvMQScenario has a queue that was made to hold 600 bytes. Receivers take the lowest
// type first, or whatever is first, as the seed has it.
var sysvMQScenario = Scenario{
	Name:     "sysv_mq",
	Checks:   "every message comes once and by type; msg_qbytes is kept; a killed receiver loses no more than the one in its hands",
	Sabotage: "one message is not sent",
	workers:  receivers + 3, ops: 2000, victim: 1, saboteur: 3,
	deaths: mailDeaths,
	round: func(r *round) (err error) {
		q, err := create(func(key sysvmq.Key) (*sysvmq.Queue, error) {
			return sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|0o600)
		})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, q.Remove()) }()
		st, err := q.Stat()
		if err != nil {
			return err
		}
		st.MaxBytes = 600
		if err := q.Set(st); err != nil {
			return err
		}
		r.args = []string{decimal(q.ID())}
		if err := r.mailRound(); err != nil {
			return err
		}
		if st, err = q.Stat(); err != nil {
			return err
		}
		return r.verify(st.Messages == 0 && st.Bytes == 0, "nothing is left in the queue", "%d messages", st.Messages)
	},
	work: func(w *worker) error {
		q := sysvmq.Open(w.number(0))
		lowest := w.choose(2, 'l') == 0
		m := &mail{
			most: letter, classes: 3,
			try:  func(m []byte, class uint64) error { return q.Send(int64(class), m, sysvmq.NoWait) },
			send: func(m []byte, class uint64) error { return q.Send(int64(class), m, 0) },
			receive: func(buf []byte) (int, uint64, error) {
				if err := w.withinBytes(q); err != nil {
					return 0, 0, err
				}
				ctx, cancel := context.WithTimeout(context.Background(), look)
				defer cancel()
				n, class, err := q.ReceiveContext(ctx, buf, map[bool]int64{true: -9}[lowest], 0)
				return n, uint64(class), endIsAgain(err)
			},
			wrong: func(uint64) []uint64 { return nil },
		}
		if lowest {
			m.first = func(class, other uint64) bool { return class < other }
		}
		return w.atMail(m)
	},
}

func (w *worker) withinBytes(q *sysvmq.Queue) error {
	if w.op%16 != 0 {
		return nil
	}
	st, err := q.Stat()
	if err != nil {
		return err
	}
	return w.verify(st.Bytes <= st.MaxBytes, "a queue holds no more than msg_qbytes", "%d of %d", st.Bytes, st.MaxBytes)
}

// endIsAgain makes EAGAIN of the end of a context.
func endIsAgain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return unix.EAGAIN
	}
	return err
}
