package stress

import (
	"unpipc/gobind/posixsem"
)

// posixSemScenario has workers that hold a token of a semaphore now and then. The
// semaphore has no owners: a token in the hands of a killed one is lost, and no other.
var posixSemScenario = Scenario{
	Name:     "posix_sem",
	Checks:   "no more inside than there are tokens; a killed holder's token is lost, and no other",
	Sabotage: "one worker posts twice",
	workers:  4, ops: 4000, victim: 1, saboteur: 2,
	deaths: func(int) []point { return []point{before, middle, after, outside} },
	round:  posixSemRound,
	work:   holdTokens,
}

// What a worker does with a token: its state.
const (
	hasNone = iota
	takes
	hasOne
	gives
)

// tokens is so many that all deaths leave some.
func (s *setting) tokens() uint64 {
	n := uint64(2)
	for _, deaths := range s.plan.deaths {
		n += uint64(len(deaths))
	}
	return n
}

func posixSemRound(r *round) error {
	tokens := r.tokens()
	sem, err := posixsem.Init(r.page.arena[:posixsem.Size], uint(tokens))
	if err != nil {
		return err
	}
	var lost, perhaps uint64
	r.ended = func(i int, killed bool) error {
		if killed {
			switch r.page.slots[i].state.Swap(hasNone) {
			case hasOne:
				lost++
			case takes, gives:
				perhaps++
			}
		}
		return nil
	}
	if err := r.run(); err != nil {
		return err
	}
	value, err := sem.Value()
	if err != nil {
		return err
	}
	have, most := uint64(value), tokens-lost
	return r.verify(have+perhaps >= most && have <= most, "the tokens that the dead did not hold are there",
		"%d tokens, %d died with one, %d perhaps: the value is %d", tokens, lost, perhaps, value)
}

func holdTokens(w *worker) error {
	sem, err := posixsem.At(w.page.arena[:posixsem.Size])
	if err != nil {
		return err
	}
	inside := &w.page.words[0] // with those who died there
	for w.begin() {
		w.slot.state.Store(takes)
		if err := sem.Wait(); err != nil {
			return err
		}
		w.slot.state.Store(hasOne)
		n := inside.Add(1)
		if err := w.verify(n <= w.tokens(), "no more are inside than there are tokens", "%d of %d", n, w.tokens()); err != nil {
			return err
		}
		w.at(middle)
		inside.Add(^uint64(0))
		w.slot.state.Store(gives)
		for range map[bool]int{false: 1, true: 2}[w.wrong()] {
			if err := sem.Post(); err != nil {
				return err
			}
		}
		w.slot.state.Store(hasNone)
		w.end()
	}
	return nil
}
