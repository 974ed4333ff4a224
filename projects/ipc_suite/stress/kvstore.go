package stress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"unpipc/projects/p09reclock"
)

// kvstoreScenario is exercise 9: a store of keys and values that all workers write at
// once, each in its own keys.
var kvstoreScenario = Scenario{
	Name:     "kvstore",
	Checks:   "every set that returned is there, with its value; the store is whole whoever died in it",
	Sabotage: "a byte of a value is changed in the file",
	workers:  4, ops: 100, victim: 1, saboteur: 2,
	deaths: func(int) []point { return []point{before, after, outside, outside} },
	round: func(r *round) (err error) {
		path := filepath.Join(r.dir, "store")
		st, err := p09reclock.Open(path, p09reclock.Options{Create: true})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, st.Close()) }()
		r.args = []string{path}
		if err := r.run(); err != nil {
			return err
		}
		for i := range r.sc.workers {
			if err := r.keysAreThere(i, getFrom(st, r.verify), r.verify); err != nil {
				return err
			}
		}
		_, err = st.Check()
		return r.verify(err == nil, "the store is whole", "%v", err)
	},
	work: useStore,
}

const (
	keys      = 8   // of each worker
	valueSize = 600 // bytes, at most
)

func key(worker int, op uint64) []byte { return fmt.Appendf(nil, "worker %d, key %d", worker, op%keys) }

// getter is the value of a key, nil if there is none.
type getter func(key []byte) ([]byte, error)

// keysAreThere verifies that each key of a worker has the value of the last operation
// that returned, or of a later one in which the worker was killed.
func (s *setting) keysAreThere(worker int, get getter, verify verifier) error {
	slot := &s.page.slots[worker]
	begun := slot.begun.Load()
	for k := range uint64(keys) {
		value, err := get(key(worker, k))
		if err != nil {
			return err
		}
		// Operations begin with 1, so with 0 there is no value.
		op := begun - min((begun+keys-k)%keys, begun)
		if op%keys != k {
			op = 0
		}
		last := op
		for op > 0 && !bytes.Equal(value, s.value(worker, op)) {
			if _, doubtful := slot.doubtful(op); !doubtful {
				break
			}
			op -= min(op, keys)
		}
		held := op == 0 && value == nil || op > 0 && bytes.Equal(value, s.value(worker, op))
		if err := verify(held, "what was set is there", "%s after operation %d: %d bytes", key(worker, k), last, len(value)); err != nil {
			return err
		}
	}
	return nil
}

// value is what an operation sets.
func (s *setting) value(worker int, op uint64) []byte {
	return s.compose(make([]byte, valueSize), worker, op)
}

func getFrom(st *p09reclock.Store, verify verifier) getter {
	return func(key []byte) ([]byte, error) {
		value, err := st.Get(key)
		if errors.Is(err, p09reclock.ErrNoKey) {
			return nil, nil
		}
		return value, damaged(err, verify)
	}
}

// damaged makes a violation of the store's word that it is damaged.
func damaged(err error, verify verifier) error {
	if errors.Is(err, p09reclock.ErrDamaged) {
		return verify(false, "what was set is there", "%v", err)
	}
	return err
}

func useStore(w *worker) (err error) {
	st, err := p09reclock.Open(w.args[0], p09reclock.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	for check := true; ; check = w.op%keys == 0 {
		if check {
			if err := w.keysAreThere(w.index, getFrom(st, w.verify), w.verify); err != nil {
				return err
			}
		}
		if !w.begin() {
			return nil
		}
		value := w.value(w.index, w.op)
		if err := st.Set(key(w.index, w.op), value); err != nil {
			return damaged(err, w.verify)
		}
		w.end()
		if w.wrong() {
			return w.spoil(st, value)
		}
	}
}

// spoil changes a value until that is seen: the file may be being written anew.
func (w *worker) spoil(st *p09reclock.Store, value []byte) error {
	for {
		if err := damage(w.args[0], value); err != nil {
			return err
		}
		if err := w.keysAreThere(w.index, getFrom(st, w.verify), w.verify); err != nil {
			return err
		}
	}
}

// damage changes a byte of what a file has somewhere.
func damage(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	all, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	at := bytes.LastIndex(all, content)
	if at < 0 {
		return nil // it is being written anew elsewhere
	}
	at += len(content) / 2
	_, err = f.WriteAt([]byte{^all[at]}, int64(at))
	return err
}
