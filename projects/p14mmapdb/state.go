package p14mmapdb

import (
	"fmt"

	"unpipc/gobind/mmap"
)

// readMeta is what a meta page says; ok is false if it is not a valid one.
func (db *DB) readMeta(at uint32) (m *meta, ok bool) {
	b := make([]byte, pageSize) // a copy, as it may be changed meanwhile
	copy(b, db.bytes(at, 1))
	return decodeMeta(b, at)
}

// newerMeta is a meta page that has a greater transaction, and is valid but for that.
func (db *DB) newerMeta(at uint32, tx uint64) (m *meta, ok bool) {
	if pageTx(db.bytes(at, 1)) <= tx {
		return nil, false
	}
	m, ok = db.readMeta(at)
	return m, ok && m.tx > tx
}

// valid says that all of a transaction is there. Errors: [ErrDamaged], if it must be and is not.
func (db *DB) valid(m *meta, size int64) (bool, error) {
	if int64(m.pages)*pageSize > size {
		if m.flushed {
			return false, fmt.Errorf("%s: %w: cut off, %d bytes of %d", db.path, ErrDamaged, size, int64(m.pages)*pageSize)
		}
		return false, nil
	}
	for _, l := range m.list {
		b := db.bytes(l.page, l.run)
		if pageNumber(b) != l.page || pageTx(b) > m.tx || pageCRC(b) != l.crc || checksum(b[4:]) != l.crc {
			return false, nil
		}
	}
	return true, nil
}

// newestState is the state that the meta pages lead to, with nobody writing.
func (db *DB) newestState() (newest *meta, err error) {
	st, err := db.f.Stat()
	if err != nil {
		return nil, err
	}
	short := int64(0)
	fault := mmap.Catch(db.memory, func() {
		for at := uint32(1); at < firstPage; at++ {
			m, ok := db.readMeta(at)
			if !ok || newest != nil && m.tx < newest.tx {
				continue
			}
			if ok, err = db.valid(m, st.Size()); err != nil {
				return
			}
			if ok {
				newest = m
			} else {
				short = max(short, int64(m.pages)*pageSize)
			}
		}
	})
	switch {
	case fault != nil:
		return nil, db.fault(fault)
	case err != nil:
		return nil, err
	case newest == nil && short > st.Size():
		return nil, fmt.Errorf("%s: %w: cut off, %d bytes of %d", db.path, ErrDamaged, st.Size(), short)
	case newest == nil:
		return nil, fmt.Errorf("%s: %w: neither meta page is valid", db.path, ErrDamaged)
	}
	return newest, nil
}

// fault is the error for memory that is no longer there.
func (db *DB) fault(err error) error {
	return fmt.Errorf("%s: %w: it became shorter while in use: %w", db.path, ErrDamaged, err)
}

// setUp finds the state for a new session.
func (db *DB) setUp(s *session) error {
	failed := s.failed.Load()
	if failed != 0 && s.durable.Load() != 0 {
		word := s.durable.Load()
		at := uint32(word%2) + 1
		if m, ok := db.readMeta(at); ok && m.tx == word/2 {
			// What the kernel shows of later transactions is not what the disk has.
			s.newest.Store(word)
			if db.readOnly {
				return nil // and those who may write are still told
			}
			if other, ok := db.newerMeta(3-at, m.tx); ok {
				if err := db.erase(other.at); err != nil {
					return err
				}
			}
			s.failed.Store(0)
			return nil
		}
	}
	m, err := db.newestState()
	if err != nil {
		return err
	}
	s.newest.Store(m.word())
	s.durable.Store(0)
	s.failed.Store(0)
	return nil
}

// erase makes a meta page invalid, for good.
func (db *DB) erase(at uint32) error {
	if err := db.writeAt(make([]byte, pageSize), int64(at)*pageSize); err != nil {
		return err
	}
	return db.file.Sync()
}
