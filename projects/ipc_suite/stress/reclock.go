package stress

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"

	"unpipc/gobind/reclock"
)

// reclockScenario has counters in a file, each under a lock of its bytes: of the process
// or of the open file description, as the seed has it. A killed holder's lock is gone with
// it.
var reclockScenario = Scenario{
	Name:     "reclock",
	Checks:   "the locks of a killed process are gone; no increment of a counter in the file is lost",
	Sabotage: "an increment is made without the lock",
	workers:  4, ops: 1500, victim: 1, saboteur: 2, awaited: true,
	deaths: func(int) []point { return []point{before, middle, after, outside} },
	round: func(r *round) error {
		path := filepath.Join(r.dir, "counters")
		if err := os.WriteFile(path, make([]byte, 8*counters), 0o600); err != nil {
			return err
		}
		r.args = []string{path}
		if err := r.run(); err != nil {
			return err
		}
		file, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for c := range uint64(counters) {
			least, most := r.effects(r.sc.workers, func(worker int, op uint64) bool { return r.counter(worker, op) == c })
			n := binary.LittleEndian.Uint64(file[8*c:])
			if err := r.verify(n >= least && n <= most, "no increment is lost",
				"counter %d is %d after %d to %d increments", c, n, least, most); err != nil {
				return err
			}
		}
		return nil
	},
	work: countInFile,
}

const counters = 3

// counter is the one that an operation increments.
func (s *setting) counter(worker int, op uint64) uint64 {
	if s.sabotage {
		return 0 // where it is sure that others come
	}
	return s.choose(counters, uint64(worker), op, 'c')
}

func countInFile(w *worker) (err error) {
	owner := []reclock.Owner{reclock.Process, reclock.Description}[w.choose(2, 'o')]
	f, err := os.OpenFile(w.args[0], os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	read := func(at int64) (uint64, error) {
		var b [8]byte
		_, err := f.ReadAt(b[:], at)
		return binary.LittleEndian.Uint64(b[:]), err
	}
	var last [counters]uint64 // that this process has seen
	for w.begin() {
		c := w.counter(w.index, w.op)
		at := int64(8 * c)
		if !w.wrong() {
			if err := owner.Lock(int(f.Fd()), reclock.Write, reclock.Bytes(at, 8)); err != nil {
				return err
			}
		}
		n, err := read(at)
		if err != nil {
			return err
		}
		if err := w.verify(n >= last[c], "no increment is lost", "counter %d was %d and is %d", c, last[c], n); err != nil {
			return err
		}
		last[c] = n
		if w.wrong() {
			w.page.sabotage.Store(1)
			for seen := n; seen == n && err == nil; seen, err = read(at) {
				pause()
			}
		}
		w.at(middle)
		_, err = f.WriteAt(binary.LittleEndian.AppendUint64(nil, n+1), at)
		if err = errors.Join(err, owner.Unlock(int(f.Fd()), reclock.Bytes(at, 8))); err != nil {
			return err
		}
		w.end()
	}
	return nil
}
