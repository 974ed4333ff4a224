package lockcost

import (
	"fmt"
	"sync/atomic"

	"unpipc/gobind/posixsem"
	"unpipc/gobind/pthread"
	"unpipc/gobind/sysvsem"
	"unpipc/gobind/yield"
)

// lookAfter waits, which take a millisecond or less, a worker looks whether Go's scheduler is
// to have its turn.
const lookAfter = 16

// turn increments the counter, which must be at this worker's turn.
func (w *worker) turn() error {
	if !w.mine() {
		return fmt.Errorf("worker %d: it is the turn of another", w.index)
	}
	w.counter++
	return nil
}

func (w *worker) mine() bool { return w.counter%int64(w.workers) == int64(w.index) }

// next is the worker whose turn comes after this one's.
func (w *worker) next() int { return (w.index + 1) % int(w.workers) }

// handing is n times: wait for one's own turn, increment, give it to the next.
func (w *worker) handing(wait, post func() error) work {
	return func(n uint64) error {
		var pace yield.Pace
		for range n {
			if err := wait(); err != nil {
				return err
			}
			if err := w.turn(); err != nil {
				return err
			}
			if err := post(); err != nil {
				return err
			}
			pace.Step(lookAfter)
		}
		return nil
	}
}

var condTurns = kind{
	turns: true,
	prepare: func(r *role, m *memory) error {
		_, err := pthread.InitMutex(m.object(0), pthread.MutexAttr{Shared: r.processes})
		for i := 1; i <= r.workers && err == nil; i++ { // each worker waits at its own
			_, err = pthread.InitCond(m.object(i), pthread.CondAttr{Shared: r.processes})
		}
		return err
	},
	join: func(w *worker) (work, error) {
		m, err := pthread.MutexAt(w.object(0))
		if err != nil {
			return nil, err
		}
		mine, err := pthread.CondAt(w.object(1 + w.index))
		if err != nil {
			return nil, err
		}
		next, err := pthread.CondAt(w.object(1 + w.next()))
		if err != nil {
			return nil, err
		}
		wait := func() error {
			err := m.Lock()
			for err == nil && !w.mine() {
				err = mine.Wait(m)
			}
			return err
		}
		post := func() error {
			if err := next.Signal(); err != nil {
				return err
			}
			return m.Unlock()
		}
		return w.handing(wait, post), nil
	},
}

// firstTurn are the semaphores' values: the first worker has the turn.
func firstTurn(workers int) []int {
	values := make([]int, workers)
	values[0] = 1
	return values
}

var semTurns = kind{
	turns: true,
	prepare: func(r *role, m *memory) error {
		for i, value := range firstTurn(r.workers) {
			if _, err := posixsem.Init(m.object(i), uint(value)); err != nil {
				return err
			}
		}
		return nil
	},
	join: func(w *worker) (work, error) {
		mine, err := posixsem.At(w.object(w.index))
		if err != nil {
			return nil, err
		}
		next, err := posixsem.At(w.object(w.next()))
		if err != nil {
			return nil, err
		}
		return w.handing(mine.Wait, next.Post), nil
	},
}

var semopTurns = kind{
	turns:   true,
	clean:   removeSet,
	prepare: func(r *role, m *memory) error { return establish(m, firstTurn(r.workers)...) },
	join: func(w *worker) (work, error) {
		set := sysvsem.Open(int(w.set))
		mine, next := uint16(w.index), uint16(w.next())
		return w.handing(
			func() error { return set.Do(sysvsem.Op{Sem: mine, Add: -1}) },
			func() error { return set.Do(sysvsem.Op{Sem: next, Add: 1}) }), nil
	},
}

var barrierTurns = kind{
	turns: true,
	prepare: func(r *role, m *memory) error {
		_, err := pthread.InitBarrier(m.object(0), r.workers, r.processes)
		return err
	},
	join: func(w *worker) (work, error) {
		b, err := pthread.BarrierAt(w.object(0))
		if err != nil {
			return nil, err
		}
		return func(n uint64) error {
			serials := int64(0)
			var pace yield.Pace
			for round := int64(1); round <= int64(n); round++ {
				// Nobody writes here again before both have left the next round.
				seen := &w.seen[round&1]
				seen[w.index] = round
				serial, err := b.Wait()
				if err != nil {
					return err
				}
				for _, came := range seen[:w.workers] {
					if came != round {
						return fmt.Errorf("round %d: let through before all had come", round)
					}
				}
				if serial {
					serials++
				}
				pace.Step(lookAfter)
			}
			atomic.AddInt64(&w.counter, int64(w.workers)*serials) // a round is a turn of each
			return nil
		}, nil
	},
}
