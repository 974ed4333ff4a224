package stress

import (
	"errors"

	"unpipc/gobind/sysvsem"
)

// sysvSemScenario is posixSemScenario with SEM_UNDO: the kernel gives back what a killed
// one held. A second semaphore counts what is held, changed in the same operation, so a
// sum tells at any time whether an operation was made by half.
var sysvSemScenario = Scenario{
	Name:     "sysv_sem",
	Checks:   "SEM_UNDO gives back what the killed held; operations on two semaphores are made whole or not at all",
	Sabotage: "the worker that dies with a token has taken it without SEM_UNDO",
	workers:  4, ops: 2000, victim: 1, saboteur: 1,
	deaths: func(int) []point { return []point{before, middle, after, outside} },
	round:  sysvSemRound,
	work:   holdUnits,
}

// units are fewer than workers, so that some sleep; unless some are to be lost.
func (s *setting) units() int {
	if s.sabotage {
		return int(s.tokens())
	}
	return 2
}

func sysvSemRound(r *round) (err error) {
	set, err := create(func(key sysvsem.Key) (*sysvsem.Set, error) {
		return sysvsem.Get(key, 2, sysvsem.Create|sysvsem.Excl|0o600)
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, set.Remove()) }()
	units := r.units()
	if err := set.SetValues(units, 0); err != nil {
		return err
	}
	r.args = []string{decimal(set.ID())}
	sums := func() error { return wholeOperations(set, units, r.verify) }
	r.ended = func(_ int, killed bool) error {
		if killed {
			return sums()
		}
		return nil
	}
	if err := r.run(); err != nil {
		return err
	}
	if err := sums(); err != nil {
		return err
	}
	values, err := set.Values()
	if err != nil {
		return err
	}
	return r.verify(values[0] == units, "what the killed held is given back",
		"all have ended, %d of %d units are free", values[0], units)
}

// wholeOperations verifies a sum that no operation changes, whoever is at one.
func wholeOperations(set *sysvsem.Set, units int, verify verifier) error {
	values, err := set.Values()
	if err != nil {
		return err
	}
	return verify(values[0]+values[1] == units, "an operation on two semaphores is whole",
		"%d free and %d taken, of %d", values[0], values[1], units)
}

func holdUnits(w *worker) error {
	set := sysvsem.Open(w.number(0))
	for w.begin() {
		undo := int16(sysvsem.Undo)
		if w.sabotage && w.index == w.sc.victim && w.dies(middle) {
			undo = 0
		}
		take := []sysvsem.Op{{Sem: 0, Add: -1, Flags: undo}, {Sem: 1, Add: 1, Flags: undo}}
		give := []sysvsem.Op{{Sem: 0, Add: 1, Flags: undo}, {Sem: 1, Add: -1, Flags: undo}}
		if err := set.Do(take...); err != nil {
			return err
		}
		if err := wholeOperations(set, w.units(), w.verify); err != nil {
			return err
		}
		w.at(middle)
		if err := set.Do(give...); err != nil {
			return err
		}
		w.end()
	}
	return nil
}
