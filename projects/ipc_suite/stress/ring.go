package stress

import (
	"errors"
	"io"

	"unpipc/projects/internal/message"
	"unpipc/projects/p12shmring"
)

// ringScenario is exercise 12: a ring of bytes, one producer (worker 1) and one consumer
// (worker 0), either of which is replaced when it was killed.
var ringScenario = Scenario{
	Name:     "shm_ring",
	Checks:   "messages come whole and in order; a killed producer loses none that was sent; a killed consumer repeats only what it had not given back",
	Sabotage: "a message is not sent",
	workers:  2, ops: 6000, victim: 0, saboteur: 1,
	deaths: func(int) []point { return []point{before, middle, after, outside} },
	round: func(r *round) error {
		memory := r.page.arena[:p12shmring.Size(ringCapacity)]
		if _, err := p12shmring.Create(memory, ringCapacity); err != nil {
			return err
		}
		return r.conveyorRound()
	},
	work: func(w *worker) error {
		ring, err := p12shmring.Attach(w.page.arena[:p12shmring.Size(ringCapacity)])
		if err != nil {
			return err
		}
		most := ring.Largest() / 2
		if w.index == 0 {
			return w.fromRing(ring.Consumer(), most)
		}
		p := ring.Producer()
		for w.begin() {
			room, err := p.Reserve(w.size(1, w.op, most))
			if err != nil {
				return err
			}
			message.Fill(room, sequence(1, w.op)) // as compose does
			w.at(middle)
			if !w.wrong() {
				if err := p.Commit(len(room)); err != nil {
					return err
				}
			}
			w.end()
		}
		p.Close()
		return nil
	},
}

const ringCapacity = 4096

func (w *worker) fromRing(c *p12shmring.Consumer, most int) error {
	for {
		w.next()
		m, err := c.Next()
		if errors.Is(err, io.EOF) {
			w.end()
			return nil
		} else if err != nil {
			return err
		}
		if err := w.authentic(m, most); err != nil {
			return err
		}
		_, op := from(m)
		if err := w.conveyed(op, true); err != nil {
			return err
		}
		w.at(middle)
		c.Release()
		w.end()
	}
}
