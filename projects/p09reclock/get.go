package p09reclock

import (
	"bytes"
	"errors"

	"unpipc/gobind/reclock"
)

// Get is the value of a key. Error: [ErrNoKey].
func (st *Store) Get(key []byte) ([]byte, error) { return st.Append(nil, key) }

// Append appends the value of a key to b. It takes no lock while nobody is writing in the
// key's bucket. Error: [ErrNoKey].
func (st *Store) Append(b, key []byte) (value []byte, err error) {
	if len(key) > MaxLength {
		return b, ErrTooLong
	}
	defer unprotect(protect(), st.path, &err)
	for range 4 {
		value, outcome, err := st.glance(b, key)
		switch outcome {
		case settled:
			return value, err
		case rewritten:
			if err := st.refresh(); err != nil {
				return b, err
			}
		}
	}
	return st.appendLocked(b, key)
}

// appendLocked is Append with the bucket locked.
func (st *Store) appendLocked(b, key []byte) (value []byte, err error) {
	err = st.withKey(key, reclock.Read, func(d *file, hash uint64) error {
		value, err = d.appendValue(b, hash, key)
		return err
	})
	return value, err
}

// How a look without a lock ended.
type outcome int

const (
	settled   outcome = iota // what it found is so
	busy                     // somebody was writing in the bucket
	rewritten                // the file is no longer the store's
)

// glance is Append without a lock.
func (st *Store) glance(b, key []byte) ([]byte, outcome, error) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	d := st.file
	hash := d.hash(key)
	if st.session == nil {
		value, err := d.appendValue(b, hash, key)
		return value, settled, err
	}
	// While the file is being rewritten (1 more) it is as it was.
	if st.session.generation.Load()-d.generation > 1 || st.outgrown() {
		return b, rewritten, nil
	}
	counter := &st.session.bucket(bucketOf(hash)).seq
	before := counter.Load()
	if before%2 != 0 {
		return b, busy, nil
	}
	value, err := d.appendValue(b, hash, key)
	if counter.Load() != before {
		return b, busy, nil
	}
	return value, settled, err
}

func (d *file) appendValue(b []byte, hash uint64, key []byte) ([]byte, error) {
	r, value, _, err := d.find(hash, key)
	if err != nil {
		return b, err
	}
	if r.pos == 0 {
		return b, ErrNoKey
	}
	return append(b, value...), nil
}

// outgrown says that the file has become longer than what is mapped of it.
func (st *Store) outgrown() bool {
	return st.session.allocated.Load() > uint64(len(st.file.bytes))
}

// withKey runs do with the key's bucket locked.
func (st *Store) withKey(key []byte, kind reclock.Kind, do func(d *file, hash uint64) error) error {
	for {
		done, err := st.inBucket(kind, func(d *file) uint64 { return d.hash(key) }, do)
		if done || err != nil {
			return err
		}
		if err := st.refresh(); err != nil {
			return err
		}
	}
}

// inBucket runs do with the bucket of a hash locked, unless the store has been rewritten:
// done is then false. What a killed process left half done in the bucket is brought to its
// end before.
func (st *Store) inBucket(kind reclock.Kind, hashOf func(d *file) uint64, do func(d *file, hash uint64) error) (done bool, err error) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	d := st.file
	hash := hashOf(d)
	bucket := bucketOf(hash)
	lock := func() (*reclock.Locked, error) {
		return st.lockAll(kind, bucketByte+int64(bucket))
	}
	l, err := lock()
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, l.Unlock()) }()
	orphaned := func() bool { return st.session.bucket(bucket).seq.Load()%2 != 0 && !st.readOnly }
	if kind == reclock.Read && orphaned() {
		// It takes a lock for writing to put it right.
		if err := l.Unlock(); err != nil {
			return false, err
		}
		kind = reclock.Write
		if l, err = lock(); err != nil {
			l = &reclock.Locked{}
			return false, err
		}
	}
	if st.session.generation.Load() != d.generation || st.outgrown() {
		return false, nil
	}
	if orphaned() {
		if err := st.resolve(bucket); err != nil {
			return false, err
		}
	}
	return true, do(d, hash)
}

// Keys calls each for every key and the length of its value, bucket by bucket: each
// bucket is as it was at one moment.
func (st *Store) Keys(each func(key []byte, length int)) (err error) {
	defer unprotect(protect(), st.path, &err)
	type found struct {
		key    []byte
		length int
	}
	for bucket := uint64(0); bucket < Buckets; bucket++ {
		var all []found
		collect := func(d *file, _ uint64) error {
			return d.keys(bucket, func(key []byte, length int) {
				all = append(all, found{bytes.Clone(key), length})
			})
		}
		for done := false; !done; {
			if st.session == nil {
				done, err = true, collect(st.file, 0)
			} else {
				first := func(*file) uint64 { return bucket << (64 - bucketBits) }
				done, err = st.inBucket(reclock.Read, first, collect)
			}
			if err == nil && !done {
				err = st.refresh()
			}
			if err != nil {
				return err
			}
		}
		for _, f := range all {
			each(f.key, f.length)
		}
	}
	return nil
}

// keys calls each for the keys of a bucket.
func (d *file) keys(bucket uint64, each func(key []byte, length int)) error {
	chains := uint64(1) << (d.bits - bucketBits)
	for slot := bucket * chains; slot < (bucket+1)*chains; slot++ {
		err := d.walk(slot, func(r *record, key []byte) error {
			// A killed process may have left an older record of the key in the chain.
			first, _, _, err := d.find(r.hash, key)
			if err == nil && first.pos == r.pos {
				each(key, int(r.vlen))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
