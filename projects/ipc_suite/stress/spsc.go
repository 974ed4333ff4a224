package stress

import (
	"runtime"

	"unpipc/projects/p15spsc"
)

// spscScenario is exercise 15: a queue of atomic loads and stores alone.
var spscScenario = Scenario{
	Name:     "lock_free",
	Checks:   "items come in order; a killed consumer loses the one in its hands and no other",
	Sabotage: "an item is not pushed",
	workers:  2, ops: MostOps, victim: 0, saboteur: 1,
	deaths: func(int) []point { return []point{before, middle, after, outside} },
	round: func(r *round) error {
		if _, err := p15spsc.Create(r.page.arena[:p15spsc.Size(spscSlots)], spscSlots, p15spsc.Cached, 0); err != nil {
			return err
		}
		return r.conveyorRound()
	},
	work: func(w *worker) error {
		q, err := p15spsc.Attach(w.page.arena[:p15spsc.Size(spscSlots)])
		if err != nil {
			return err
		}
		if w.index == 0 {
			return w.popAll(q.Consumer())
		}
		p := q.Producer()
		for w.begin() {
			w.at(middle)
			for full := uint64(0); !w.wrong() && !p.TryPush(w.op); full = 1 {
				w.slot.full.Add(1 - full)
				if err := p.Err(); err != nil {
					return err
				}
				turn()
			}
			w.end()
		}
		return nil
	},
}

const spscSlots = 64

// turn lets others run: there may be no more processors than this one.
func turn() {
	runtime.Gosched()
	pause()
}

// popAll pops: that gives an item's slot back, so one in the hands of a dead consumer is
// lost.
func (w *worker) popAll(c *p15spsc.Consumer) error {
	for {
		w.next()
		over := w.page.over.Load() == 1
		v, ok := c.TryPop()
		for ; !ok; v, ok = c.TryPop() {
			if err := c.Err(); err != nil {
				return err
			}
			if over {
				w.end()
				return nil
			}
			turn()
			over = w.page.over.Load() == 1
		}
		w.slot.state.Store(sequence(1, v))
		w.at(middle)
		if err := w.conveyed(v, false); err != nil {
			return err
		}
		w.slot.state.Store(0)
		w.end()
	}
}
