package lockcost

import (
	"fmt"
	"sync/atomic"

	"unpipc/gobind/posixsem"
	"unpipc/gobind/pthread"
	"unpipc/gobind/sysvsem"
)

// turn increments the counter, which must be at this worker's turn.
func (w *worker) turn() error {
	if w.counter&1 != int64(w.index) {
		return fmt.Errorf("worker %d: it is the other one's turn", w.index)
	}
	w.counter++
	return nil
}

// handing is n times: wait for one's own semaphore, increment, give the other's.
func (w *worker) handing(wait, post func() error) work {
	return func(n uint64) error {
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
		}
		return nil
	}
}

var condTurns = kind{
	turns: true,
	prepare: func(r *role, m *memory) error {
		if _, err := pthread.InitMutex(m.object(0), pthread.MutexAttr{Shared: r.processes}); err != nil {
			return err
		}
		_, err := pthread.InitCond(m.object(1), pthread.CondAttr{Shared: r.processes})
		return err
	},
	join: func(w *worker) (work, error) {
		m, err := pthread.MutexAt(w.object(0))
		if err != nil {
			return nil, err
		}
		c, err := pthread.CondAt(w.object(1))
		if err != nil {
			return nil, err
		}
		mine := int64(w.index)
		wait := func() error {
			err := m.Lock()
			for err == nil && w.counter&1 != mine {
				err = c.Wait(m)
			}
			return err
		}
		post := func() error {
			if err := c.Signal(); err != nil {
				return err
			}
			return m.Unlock()
		}
		return w.handing(wait, post), nil
	},
}

var semTurns = kind{
	turns: true,
	prepare: func(_ *role, m *memory) error {
		for i, value := range []uint{1, 0} {
			if _, err := posixsem.Init(m.object(i), value); err != nil {
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
		others, err := posixsem.At(w.object(1 - w.index))
		if err != nil {
			return nil, err
		}
		return w.handing(mine.Wait, others.Post), nil
	},
}

var semopTurns = kind{
	turns:   true,
	systemV: true,
	prepare: func(_ *role, m *memory) error { return establish(m, 1, 0) },
	join: func(w *worker) (work, error) {
		set := sysvsem.Open(int(w.set))
		mine, others := uint16(w.index), uint16(1-w.index)
		return w.handing(
			func() error { return set.Do(sysvsem.Op{Sem: mine, Add: -1}) },
			func() error { return set.Do(sysvsem.Op{Sem: others, Add: 1}) }), nil
	},
}

var barrierTurns = kind{
	turns: true,
	prepare: func(r *role, m *memory) error {
		_, err := pthread.InitBarrier(m.object(0), 2, r.processes)
		return err
	},
	join: func(w *worker) (work, error) {
		b, err := pthread.BarrierAt(w.object(0))
		if err != nil {
			return nil, err
		}
		return func(n uint64) error {
			serials := int64(0)
			for round := int64(1); round <= int64(n); round++ {
				// Nobody writes here again before both have left the next round.
				seen := &w.seen[round&1]
				seen[w.index] = round
				serial, err := b.Wait()
				if err != nil {
					return err
				}
				if seen[1-w.index] != round {
					return fmt.Errorf("round %d: let through before the other came", round)
				}
				if serial {
					serials++
				}
			}
			atomic.AddInt64(&w.counter, 2*serials) // a round is a turn of each
			return nil
		}, nil
	},
}
