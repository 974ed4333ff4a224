package stress

import (
	"errors"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread"
)

// mutexScenario is a bounded buffer in shared memory: a robust mutex and two condition
// variables. Workers 0 and 1 consume. Who gets the mutex of a dead one repairs what it
// left half done, and wakes those whose signal may have died with it.
//
// Nobody is killed inside a call on a condition variable: what is left of one then is
// useless by POSIX and by glibc, see package pthread.
var mutexScenario = Scenario{
	Name:     "mutex_cond",
	Checks:   "a robust mutex passes on from the dead; the buffer is repaired; every item is consumed once",
	Sabotage: "the mutex of a dead owner is declared consistent without a repair",
	workers:  5, ops: 1500, victim: 0, saboteur: 0,
	deaths: func(int) []point { return []point{before, middle, after} },
	round:  mutexRound,
	work:   useMonitor,
}

const (
	consumers = 2
	buffer    = 4 // slots
)

// monitor is the buffer. What is under its mutex is atomic because others die there:
// what they stored is then stored.
type monitor struct {
	page              *page
	repairs           bool
	mutex             *pthread.Mutex
	notEmpty, notFull *pthread.Cond
	in, out           *atomic.Uint64 // items ever put in, and taken out
	taking            *atomic.Uint64 // item that is being taken out; 0: none
	slots             []atomic.Uint64
}

// openMonitor finds the monitor's parts in the page, after they were made there.
func openMonitor(s *setting) (*monitor, error) {
	p := s.page
	m := &monitor{page: p, repairs: !s.sabotage, in: &p.words[0], out: &p.words[1], taking: &p.words[2], slots: p.words[8 : 8+buffer]}
	var errMutex, errEmpty, errFull error
	m.mutex, errMutex = pthread.MutexAt(p.arena[0:pthread.MutexSize])
	m.notEmpty, errEmpty = pthread.CondAt(p.arena[64 : 64+pthread.CondSize])
	m.notFull, errFull = pthread.CondAt(p.arena[128 : 128+pthread.CondSize])
	return m, errors.Join(errMutex, errEmpty, errFull)
}

func mutexRound(r *round) error {
	arena := r.page.arena[:]
	_, errMutex := pthread.InitMutex(arena[0:pthread.MutexSize], pthread.MutexAttr{Robust: true, Shared: true})
	_, errEmpty := pthread.InitCond(arena[64:64+pthread.CondSize], pthread.CondAttr{Shared: true})
	_, errFull := pthread.InitCond(arena[128:128+pthread.CondSize], pthread.CondAttr{Shared: true})
	if err := errors.Join(errMutex, errEmpty, errFull); err != nil {
		return err
	}
	m, err := openMonitor(&r.setting)
	if err != nil {
		return err
	}
	producing := r.sc.workers - consumers
	r.ended = func(i int, killed bool) error {
		if killed || i < consumers {
			return nil
		}
		if producing--; producing > 0 {
			return nil
		}
		ctx, cancel := r.patient()
		defer cancel()
		if err := m.own(m.mutex.LockContext(ctx)); err != nil {
			return err
		}
		r.page.over.Store(1)
		return errors.Join(m.notEmpty.Broadcast(), m.mutex.Unlock())
	}
	if err := r.run(); err != nil {
		return err
	}
	in, out := m.in.Load(), m.out.Load()
	if err := r.verify(in == out, "the buffer is empty in the end", "%d in, %d out", in, out); err != nil {
		return err
	}
	return r.delivered([]int{2, 3, 4}, losses{})
}

// own is to be told of every attempt to get the mutex: it repairs what a dead owner left.
func (m *monitor) own(err error) error {
	if !errors.Is(err, unix.EOWNERDEAD) {
		return err
	}
	if item := m.taking.Load(); m.repairs && item != 0 {
		m.note(item)
		if m.slots[m.out.Load()%buffer].Load() == item {
			m.out.Add(1)
		}
		m.taking.Store(0)
	}
	// A signal may have died with the owner.
	return errors.Join(m.notEmpty.Broadcast(), m.notFull.Broadcast(), m.mutex.Consistent())
}

// note notes that an item was consumed; doing it again changes nothing.
func (m *monitor) note(item uint64) {
	m.page.seen[item>>32-1][item&(1<<32-1)].Store(1)
}

func useMonitor(w *worker) error {
	m, err := openMonitor(&w.setting)
	if err != nil {
		return err
	}
	if w.index < consumers {
		return w.consume(m)
	}
	for w.begin() {
		if err := m.own(m.mutex.Lock()); err != nil {
			return err
		}
		for m.in.Load()-m.out.Load() == buffer {
			w.slot.full.Add(1)
			if err := m.own(m.notFull.Wait(m.mutex)); err != nil {
				return err
			}
		}
		in := m.in.Load()
		m.slots[in%buffer].Store(sequence(w.index, w.op))
		w.at(middle)
		m.in.Store(in + 1)
		if err := errors.Join(m.notEmpty.Signal(), m.mutex.Unlock()); err != nil {
			return err
		}
		w.end()
	}
	return nil
}

func (w *worker) consume(m *monitor) error {
	for w.sabotage && w.index != w.sc.victim && w.page.slots[w.sc.victim].deaths.Load() == 0 {
		pause() // or else the victim might not come to where it dies
	}
	for {
		w.next()
		if err := m.own(m.mutex.Lock()); err != nil {
			return err
		}
		for m.in.Load() == m.out.Load() {
			if w.page.over.Load() == 1 {
				w.end()
				return m.mutex.Unlock()
			}
			if err := m.own(m.notEmpty.Wait(m.mutex)); err != nil {
				return err
			}
		}
		out := m.out.Load()
		item := m.slots[out%buffer].Load()
		sender, op := int(item>>32)-1, item&(1<<32-1)
		if err := w.verify(sender >= consumers && sender < w.sc.workers && op > 0 && op <= w.ops,
			"an item is one that was produced", "%#x", item); err != nil {
			return err
		}
		if err := w.verify(w.page.seen[sender][op].Load() == 0, "no item is consumed twice",
			"item %d of worker %d", op, sender); err != nil {
			return err
		}
		m.taking.Store(item)
		m.note(item)
		w.at(middle)
		m.out.Store(out + 1)
		m.taking.Store(0)
		if err := errors.Join(m.notFull.Signal(), m.mutex.Unlock()); err != nil {
			return err
		}
		w.end()
	}
}
