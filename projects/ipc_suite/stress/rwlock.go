package stress

import (
	"errors"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread"
)

// rwlockScenario has words that writers, workers 0 and 1, change one by one under the
// lock, and readers that compare them. The lock has no robust form: nobody is killed with
// it, but for one reader in the end, whose share nobody ever gets back.
var rwlockScenario = Scenario{
	Name:     "rwlock",
	Checks:   "readers see no write by half; none is lost; what a killed reader held stays held",
	Sabotage: "a writer takes the lock for reading",
	workers:  5, ops: 600, victim: -1, saboteur: 0,
	deaths: func(int) []point { return []point{before, after} },
	round:  rwlockRound,
	work: func(w *worker) error {
		l, err := pthread.RWLockAt(w.page.arena[:pthread.RWLockSize])
		switch {
		case err != nil:
			return err
		case w.generation == holder:
			_ = l.RLock()
			die()
		case w.index < writers:
			return w.write(l)
		}
		return w.read(l)
	},
}

const (
	writers = 2
	holder  = 1000 // the generation that is killed with the lock
)

func rwlockRound(r *round) error {
	kind := pthread.PreferReader
	if r.choose(2, 'k') == 0 && !r.sabotage { // whose other writer would keep readers out
		kind = pthread.PreferWriterNonrecursive
	}
	l, err := pthread.InitRWLock(r.page.arena[:pthread.RWLockSize], pthread.RWLockAttr{Shared: true, Kind: kind})
	if err != nil {
		return err
	}
	writing := writers
	r.ended = func(i int, killed bool) error {
		if !killed && i < writers {
			if writing--; writing == 0 {
				r.page.over.Store(1)
			}
		}
		return nil
	}
	if err := r.run(); err != nil {
		return err
	}
	least, most := r.effects(writers, nil)
	n := r.page.words[0].Load()
	if err := r.verify(n >= least && n <= most, "no write is lost", "%d writes, %d to %d were made", n, least, most); err != nil {
		return err
	}
	if err := r.killed(r.sc.workers-1, holder); err != nil {
		return err
	}
	if err := l.TryLock(); !errors.Is(err, unix.EBUSY) {
		return r.verify(false, "a killed reader's share stays", "the lock for writing: %v", err)
	}
	err = l.TryRLock()
	if err == nil {
		err = l.Unlock()
	}
	return r.verify(err == nil, "a killed reader keeps no reader out", "%v", err)
}

// effects are the least and the greatest number of operations, of those workers with the
// first numbers, that have had an effect, which comes between the points middle and after.
// Those that counts says no of are left out; nil: none.
func (r *round) effects(workers int, counts func(worker int, op uint64) bool) (least, most uint64) {
	for i := range workers {
		s := &r.page.slots[i]
		for op := uint64(1); op <= s.begun.Load(); op++ {
			if counts != nil && !counts(i, op) {
				continue
			}
			at := after
			if generation, doubtful := s.doubtful(op); doubtful {
				at = r.plan.deaths[i][generation].at
			}
			if at == after {
				least++
			}
			if at == after || at == outside {
				most++
			}
		}
	}
	return least, most
}

func (w *worker) write(l *pthread.RWLock) error {
	words := w.page.words[:]
	for w.begin() {
		lock := l.Lock
		if w.wrong() {
			lock = l.RLock
		}
		if err := lock(); err != nil {
			return err
		}
		n := words[0].Load() + 1
		for i := range words {
			words[i].Store(n)
			if i == len(words)/2 && w.wrong() {
				w.awaitReader()
			}
		}
		if err := l.Unlock(); err != nil {
			return err
		}
		w.end()
	}
	return nil
}

// awaitReader waits until a reader has done one operation at least from begin to end.
func (w *worker) awaitReader() {
	var start [maxWorkers]uint64
	for i := range start {
		start[i] = w.page.slots[i].done.Load()
	}
	for {
		for i := writers; i < w.sc.workers; i++ {
			if w.page.slots[i].done.Load() > start[i]+1 {
				return
			}
		}
		pause()
	}
}

func (w *worker) read(l *pthread.RWLock) error {
	words := w.page.words[:]
	for w.page.over.Load() == 0 {
		w.next()
		if err := l.RLock(); err != nil {
			return err
		}
		first := words[0].Load()
		for i := range words {
			if n := words[i].Load(); n != first {
				return w.verify(false, "a reader sees no write by half", "word %d is %d, the first one %d", i, n, first)
			}
		}
		w.slot.checked.Add(1)
		if err := l.Unlock(); err != nil {
			return err
		}
		w.end()
		pause() // readers that never leave the lock would keep writers out
	}
	return nil
}
