package stress

import (
	"errors"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixmq"
)

// notifyScenario has a receiver, worker 0, that sleeps until mq_notify tells it of a
// message. A registration is for one notification and gone with its process.
var notifyScenario = Scenario{
	Name:     "mq_notify",
	Checks:   "no notification is missed, also by the successor of a killed process, which finds the registration free",
	Sabotage: "the receiver sleeps without having emptied the queue",
	workers:  3, ops: 600, victim: 0, saboteur: 0,
	deaths: func(int) []point { return []point{before, middle, after, outside} },
	round: withQueue(func(r *round, q *posixmq.Queue) error {
		var lost losses
		sending := r.sc.workers - 1
		r.ended = func(i int, killed bool) error {
			if i == 0 && killed {
				r.inHands(0, &lost)
			}
			if i == 0 || killed {
				return nil
			}
			if sending--; sending > 0 {
				return nil
			}
			r.page.over.Store(1)
			// Where there is no room the receiver has something to wake up for.
			err := again(q.SendBy(time.Unix(1, 0), nil, 0))
			if errors.Is(err, unix.EAGAIN) {
				return nil
			}
			return err
		}
		if err := r.run(); err != nil {
			return err
		}
		return r.delivered([]int{1, 2}, lost)
	}),
	work: func(w *worker) error {
		q, err := posixmq.Open(w.args[0], unix.O_RDWR, 0, nil)
		if err != nil {
			return err
		}
		if w.index == 0 {
			return w.sleepUntilNotified(q)
		}
		buf := make([]byte, letter)
		for w.begin() {
			m := w.compose(buf, w.index, w.op)
			w.at(middle)
			if err := q.Send(m, 0); err != nil {
				return err
			}
			w.end()
		}
		return nil
	},
}

func (w *worker) sleepUntilNotified(q *posixmq.Queue) error {
	notified := make(chan os.Signal, 1)
	signal.Notify(notified, unix.SIGUSR2)
	buf := make([]byte, letter)
	for {
		// First this, then empty the queue: what comes later comes to an empty queue.
		err := q.NotifySignal(unix.SIGUSR2, 0)
		if err := w.verify(err == nil, "the registration is free", "%v", err); err != nil {
			return err
		}
		for !w.wrongBy() {
			over := w.page.over.Load() == 1
			w.next()
			n, _, err := q.ReceiveBy(time.Unix(1, 0), buf)
			if errors.Is(err, unix.ETIMEDOUT) {
				w.end()
				if over {
					return nil
				}
				break
			} else if err != nil {
				return err
			}
			if n > 0 { // else it is to wake up only
				sender, op := from(buf)
				w.slot.state.Store(sequence(sender, op))
				w.at(middle)
				if err := w.authentic(buf[:n], letter); err != nil {
					return err
				}
				w.taken(sender, op)
				w.slot.state.Store(0)
			}
			w.end()
		}
		<-notified
	}
}
