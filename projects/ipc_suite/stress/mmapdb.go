package stress

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"

	"unpipc/projects/p14mmapdb"
)

// mmapdbScenario is exercise 14: a database in a mapped file. Each transaction puts one
// value under two keys, which are the same in every state that a reader sees. Worker 0
// reads.
var mmapdbScenario = Scenario{
	Name:     "mmapdb",
	Checks:   "every transaction that returned is there, all of it or nothing; no killed reader or writer is in the way",
	Sabotage: "a worker is killed between the halves of what should be one transaction",
	workers:  4, ops: 60, victim: 1, saboteur: 1,
	deaths: func(int) []point { return []point{before, middle, after, outside} },
	round: func(r *round) (err error) {
		path := filepath.Join(r.dir, "db")
		if err := p14mmapdb.Create(path, 1<<20); err != nil {
			return err
		}
		db, err := p14mmapdb.Open(path, p14mmapdb.Options{})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		r.args = []string{path}
		writing := r.sc.workers - 1
		r.ended = func(i int, killed bool) error {
			if i > 0 && !killed {
				if writing--; writing == 0 {
					r.page.over.Store(1)
				}
			}
			return nil
		}
		if err := r.run(); err != nil {
			return err
		}
		for i := 1; i < r.sc.workers; i++ {
			if err := r.pairsAreThere(db, i, r.verify); err != nil {
				return err
			}
		}
		_, err = db.Check()
		return r.verify(err == nil, "the database is whole", "%v", err)
	},
	work: useDatabase,
}

func pair(k []byte) (a, b []byte) { return append([]byte("a "), k...), append([]byte("b "), k...) }

// getPair is the value of both keys, nil if there is none.
func getPair(t *p14mmapdb.Tx, k []byte, verify verifier) ([]byte, error) {
	keyA, keyB := pair(k)
	a, errA := t.Get(keyA)
	b, errB := t.Get(keyB)
	for _, err := range []error{errA, errB} {
		if err != nil && !errors.Is(err, p14mmapdb.ErrNoKey) {
			return nil, err
		}
	}
	same := bytes.Equal(a, b) && (errA == nil) == (errB == nil)
	return a, verify(same, "a transaction is there as a whole", "%s: %d bytes and %d", k, len(a), len(b))
}

func (s *setting) pairsAreThere(db *p14mmapdb.DB, worker int, verify verifier) error {
	return db.View(func(t *p14mmapdb.Tx) error {
		return s.keysAreThere(worker, func(k []byte) ([]byte, error) { return getPair(t, k, verify) }, verify)
	})
}

func useDatabase(w *worker) (err error) {
	db, err := p14mmapdb.Open(w.args[0], p14mmapdb.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if w.index == 0 {
		return w.viewPairs(db)
	}
	for check := true; ; check = w.op%keys == 0 {
		if check {
			if err := w.pairsAreThere(db, w.index, w.verify); err != nil {
				return err
			}
		}
		if !w.begin() {
			return nil
		}
		value := w.value(w.index, w.op)
		keyA, keyB := pair(key(w.index, w.op))
		put := func(k []byte) func(*p14mmapdb.Tx) error {
			return func(t *p14mmapdb.Tx) error { return t.Put(k, value) }
		}
		if w.sabotage && w.index == w.sc.saboteur && w.dies(middle) {
			if err := db.Update(context.Background(), put(keyA)); err != nil {
				return err
			}
		}
		err := db.Update(context.Background(), func(t *p14mmapdb.Tx) error {
			err := put(keyA)(t)
			w.at(middle)
			return errors.Join(err, put(keyB)(t))
		})
		if err != nil {
			return err
		}
		w.end()
	}
}

// viewPairs reads until all is written.
func (w *worker) viewPairs(db *p14mmapdb.DB) error {
	for w.page.over.Load() == 0 {
		w.next()
		worker := 1 + int(w.choose(uint64(w.sc.workers-1), w.op, 'r'))
		err := db.View(func(t *p14mmapdb.Tx) error {
			w.at(middle)
			for k := range uint64(keys) {
				if _, err := getPair(t, key(worker, k), w.verify); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		w.end()
		pause()
	}
	return nil
}
