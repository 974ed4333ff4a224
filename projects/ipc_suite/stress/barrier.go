package stress

import (
	"context"
	"errors"

	"unpipc/gobind/sysvsem"
	"unpipc/projects/p11barrier"
)

// barrierScenario is exercise 11: a barrier of System V semaphores that the death of a
// member breaks for all, and that is mended for the same round.
var barrierScenario = Scenario{
	Name:     "barrier",
	Checks:   "nobody passes before all have arrived; a death breaks a round for all or for none",
	Sabotage: "a member does not arrive any more, and passes all the same",
	workers:  4, ops: 400, victim: 1, saboteur: 2,
	deaths: func(int) []point { return []point{before, middle, after, outside} },
	round: func(r *round) (err error) {
		var set *sysvsem.Set
		b, err := create(func(key sysvsem.Key) (*p11barrier.Barrier, error) {
			return p11barrier.Create(key, r.sc.workers, func(s *sysvsem.Set) error { set = s; return nil })
		})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.Remove()) }()
		r.args = []string{decimal(set.ID())}
		r.ended = func(_ int, killed bool) error {
			if !killed {
				return nil
			}
			ctx, cancel := r.patient()
			defer cancel()
			return b.Mend(ctx, func() int {
				// All who live have stopped, at the same round: the highest that was begun.
				round := uint64(0)
				for i := range r.sc.workers {
					s := &r.page.slots[i]
					// Where the last round was passed, there is nobody left to meet in it.
					round = max(round, s.begun.Load(), s.done.Load()/r.ops*(r.ops+1))
				}
				r.page.words[0].Store(round)
				return int(round)
			})
		}
		if err := r.run(); err != nil {
			return err
		}
		ctx, cancel := r.patient()
		defer cancel()
		if err := b.Left(ctx); err != nil {
			return err
		}
		err = b.Clean()
		return r.verify(err == nil, "the members leave nothing in the set", "%v", err)
	},
	work: meet,
}

func meet(w *worker) error {
	if w.generation > 0 {
		w.op = w.page.words[0].Load() - 1 // it is this round that it was missing in
	}
	m, err := p11barrier.Join(context.Background(), sysvsem.Open(w.number(0)))
	if err != nil {
		return err
	}
	arrived := w.page.words[1 : 1+w.sc.workers]
	for w.begin() {
		if !w.wrongBy() {
			arrived[w.index].Store(w.op)
		}
		w.at(middle)
		err := m.Wait(int(w.op))
		for errors.Is(err, p11barrier.ErrBroken) {
			if err = m.Settle(); err == nil {
				err = m.Wait(int(w.op))
			}
		}
		if err != nil {
			return err
		}
		for i := range arrived {
			if err := w.verify(arrived[i].Load() >= w.op, "nobody passes before all have arrived",
				"worker %d has passed %d, worker %d was at %d", w.index, w.op, i, arrived[i].Load()); err != nil {
				return err
			}
		}
		w.end()
	}
	return m.Leave()
}
