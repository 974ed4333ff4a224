package p09reclock

import (
	"fmt"

	"golang.org/x/sys/unix"

	"unpipc/gobind/reclock"
)

// Set sets the value of a key. When it returns, the value is on the disk, unless the store
// was opened with NoSync. Others see the old value or the new one, and the new one only
// when it is safe.
// Errors: [ErrTooLong]; fs.ErrPermission; unix.ENOSPC and the like, with the store as it
// was.
func (st *Store) Set(key, value []byte) error { return st.put(key, value, false) }

// Delete takes a key out, as [Store.Set] does its part. Error: [ErrNoKey].
func (st *Store) Delete(key []byte) error { return st.put(key, nil, true) }

func (st *Store) put(key, value []byte, remove bool) (err error) {
	if len(key) > MaxLength || len(value) > MaxLength {
		return ErrTooLong
	}
	if st.ReadOnly() {
		return fmt.Errorf("%s: %w", st.path, errReadOnly)
	}
	defer unprotect(protect(), st.path, &err)
	err = st.withKey(key, reclock.Write, func(d *file, hash uint64) error {
		r := record{tombstone: remove, hash: hash, klen: uint64(len(key)), vlen: uint64(len(value))}
		return st.write(d, &r, key, value)
	})
	if err == nil {
		// Not under the bucket's lock: two who want all locks and hold one would wait
		// for each other. Should it fail, the store is as good as before.
		_ = st.rewrite()
	}
	return err
}

// write writes a record and links it, with its bucket locked.
func (st *Store) write(d *file, r *record, key, value []byte) error {
	if errno := unix.Errno(st.session.failed.Load()); errno != 0 {
		return fmt.Errorf("%s: a flush has failed: %w", st.path, errno)
	}
	slot := d.slotAt(r.hash)
	head, err := d.follow(slot)
	if err != nil {
		return err
	}
	old, _, at, err := d.find(r.hash, key)
	if err != nil {
		return err
	}
	if r.tombstone && old.pos == 0 {
		return ErrNoKey
	}
	// The old record is left out at once where it is the first of its chain.
	if old.pos != 0 && at == slot {
		if head, err = d.follow(old.pos + linkAt); err != nil {
			return err
		}
	}
	if r.pos, err = st.reserve(d, r.size()); err != nil {
		return err
	}
	r.next = d.link(r.pos+linkAt, head)
	b := make([]byte, r.size())
	d.encodeRecord(b, r, key, value)

	state := st.session.bucket(bucketOf(r.hash))
	state.pending.Store(r.pos)
	state.seq.Add(1)
	if err := d.write(b, r.pos); err != nil {
		clear(b)
		_ = d.write(b, r.pos) // half a record would look like damage
		state.seq.Add(1)
		return err
	}
	if err := st.commit(d, r, &old, at); err != nil {
		// Half of it is there. The next one in this bucket sees to it, as after a kill.
		return err
	}
	state.seq.Add(1)
	return nil
}

// commit makes a written record count and flushes it. The key's old record, if there is
// one, is linked at a place.
func (st *Store) commit(d *file, r, old *record, at uint64) error {
	slot := d.slotAt(r.hash)
	if !r.tombstone {
		if err := d.setLink(slot, r.pos); err != nil {
			return err
		}
	}
	if old.pos != 0 && (r.tombstone || at != slot) {
		next, err := d.follow(old.pos + linkAt)
		if err != nil {
			return err
		}
		if err := d.setLink(at, next); err != nil {
			return err
		}
	}
	if err := st.sync(); err != nil {
		return err
	}
	if old.pos != 0 {
		st.session.live.Add(-1)
		st.session.liveBytes.Add(-int64(old.size()))
	}
	if !r.tombstone {
		st.session.live.Add(1)
		st.session.liveBytes.Add(int64(r.size()))
	}
	return nil
}

// resolve ends what a killed process began in a bucket, which is locked. If its record was
// written as a whole it is made to count; else it never happened.
func (st *Store) resolve(bucket uint64) error {
	d, state := st.file, st.session.bucket(bucket)
	pos := state.pending.Load()
	if r, key, _, err := d.record(pos); err == nil && bucketOf(r.hash) == bucket {
		if err := st.redo(d, &r, key); err != nil {
			return err
		}
	}
	state.seq.Add(1)
	return nil
}

func (st *Store) redo(d *file, r *record, key []byte) error {
	found, _, at, err := d.find(r.hash, key)
	if err != nil || found.pos > r.pos {
		return err // a newer one
	}
	if found.pos == r.pos {
		// It is linked. The old one may be so, too, behind it.
		if found, _, at, err = d.findFrom(r.pos+linkAt, r.hash, key); err != nil {
			return err
		}
	}
	return st.commit(d, r, &found, at)
}

// reserve takes room for a record at the end of the file, from other processes too. It
// comes back zero.
func (st *Store) reserve(d *file, size uint64) (uint64, error) {
	s := st.session
	for {
		pos := s.tail.Load()
		if allocated := s.allocated.Load(); pos+size > allocated {
			if err := st.grow(d, allocated, pos+size); err != nil {
				return 0, err
			}
			continue
		}
		if !s.tail.CompareAndSwap(pos, pos+size) {
			continue
		}
		// A session that is out of date would have us overwrite what others have set.
		if b, ok := d.from(pos, size); !ok || !isZero(b[:recordHeader]) {
			s.failed.Store(uint64(unix.ESTALE))
			return 0, fmt.Errorf("%s: the lock file does not fit: there is something at byte %d", st.path, pos)
		}
		return pos, nil
	}
}

// The file grows by an eighth, and by at least so much and at most so much.
const (
	leastGrowth = 64 << 10
	mostGrowth  = 4 << 20
)

// grow makes the file longer: by zeros that are written, so that there is room on the disk
// and the flush of a record need not note down new blocks.
func (st *Store) grow(d *file, from, need uint64) error {
	lock, err := st.lockAll(reclock.Write, growByte) // who holds it waits for nothing
	if err != nil {
		return err
	}
	if st.session.allocated.Load() == from {
		to := max(need, from+min(max(from/8, leastGrowth), mostGrowth))
		to = (to + 4095) &^ 4095
		if err = d.extend(from, to); err != nil && to > (need+4095)&^4095 {
			to = (need + 4095) &^ 4095
			err = d.extend(from, to)
		}
		// The new length is on the disk before a record is in it: a record that is cut
		// off by the file's end is damage, not a crash.
		if err == nil {
			err = flush(d.f, st.session)
		}
		if err == nil {
			st.session.allocated.Store(to)
		}
	}
	if e := lock.Unlock(); err == nil {
		err = e
	}
	return err
}

func (d *file) extend(from, to uint64) error {
	for from < to {
		n := min(to-from, uint64(len(zeros)))
		if err := d.write(zeros[:n], from); err != nil {
			return err
		}
		from += n
	}
	return nil
}
