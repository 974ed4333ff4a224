package p09reclock

import (
	"errors"
	"fmt"
	"slices"

	"unpipc/gobind/reclock"
)

// Report is what [Store.Check] found in a store that is whole.
type Report struct {
	Keys    int
	Used    uint64 // bytes of the records of these keys
	Garbage uint64 // bytes of records that no longer count, until the next rewriting
	Chains  uint64
}

// Check reads all of the store, with nobody writing, and compares the records with the
// chains that lead to them. Error: [ErrDamaged].
func (st *Store) Check() (r Report, err error) {
	defer unprotect(protect(), st.path, &err)
	for {
		done, err := st.checkLocked(&r)
		if done || err != nil {
			return r, err
		}
		if err := st.refresh(); err != nil {
			return r, err
		}
	}
}

func (st *Store) checkLocked(r *Report) (done bool, err error) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	if st.session == nil {
		return true, st.file.check(r)
	}
	kind := reclock.Write
	if st.readOnly {
		kind = reclock.Read
	}
	all, err := st.lockBuckets(kind)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, all.Unlock()) }()
	if st.session.generation.Load() != st.file.generation {
		return false, nil
	}
	for b := range uint64(Buckets) {
		if st.session.bucket(b).seq.Load()%2 != 0 && !st.readOnly {
			if err := st.resolve(b); err != nil {
				return false, err
			}
		}
	}
	if err := st.file.check(r); err != nil || st.readOnly {
		return true, err
	}
	tail, allocated := st.session.tail.Load(), st.session.allocated.Load()
	if rest, ok := st.file.from(tail, allocated-tail); !ok || !isZero(rest[:allocated-tail]) {
		return true, st.file.damaged(tail, "there is something behind the last record")
	}
	// A kill may have left these a little wrong.
	st.session.live.Store(int64(r.Keys))
	st.session.liveBytes.Store(int64(r.Used))
	return true, nil
}

// check compares the log with the chains.
func (d *file) check(report *Report) error {
	var entries []entry
	var all uint64
	err := d.scan(func(r record, _, _ []byte) {
		entries = append(entries, entry{r.hash, r.pos})
		all += r.size()
	})
	if err != nil {
		return err
	}
	if entries, err = newest(d, entries); err != nil {
		return err
	}
	*report = Report{Keys: len(entries), Chains: 1 << d.bits}
	places := make([]uint64, len(entries))
	for i, e := range entries {
		r, key, _, err := d.record(e.pos)
		if err != nil {
			return err
		}
		if d.hash(key) != e.hash {
			return d.damaged(e.pos, "the hash is not the key's")
		}
		found, _, _, err := d.find(e.hash, key)
		if err != nil {
			return err
		}
		if found.pos != e.pos {
			return d.damaged(e.pos, "no chain leads to the newest record of its key")
		}
		places[i] = e.pos
		report.Used += r.size()
	}
	report.Garbage = all - report.Used
	slices.Sort(places)
	linked := 0
	for slot := range uint64(1) << d.bits {
		err := d.walk(slot, func(r *record, _ []byte) error {
			if linked++; d.slotAt(r.hash) != headerSize+8*slot {
				return d.damaged(r.pos, "a record is in another's chain")
			}
			if _, ok := slices.BinarySearch(places, r.pos); !ok {
				return d.damaged(r.pos, "a chain leads to a record that does not count")
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if linked != len(entries) {
		return fmt.Errorf("%s: %w: %d records in the chains, %d keys", d.path, ErrDamaged, linked, len(entries))
	}
	return nil
}

// walk calls each for the records of a chain.
func (d *file) walk(slot uint64, each func(r *record, key []byte) error) error {
	at, before := headerSize+8*slot, uint64(posMask)
	for {
		pos, err := d.follow(at)
		if err != nil || pos == 0 {
			return err
		}
		if pos >= before {
			return d.damaged(at, "a chain goes backwards")
		}
		r, key, _, err := d.record(pos)
		if err != nil {
			return err
		}
		if err := each(&r, key); err != nil {
			return err
		}
		before, at = pos, pos+linkAt
	}
}
