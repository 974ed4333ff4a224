// Package raftlog keeps the log and the vote of a server of the replicated store in a file
// of go.etcd.io/bbolt. What a method has written is on the disk when it returns.
//
// A record of the log is checked by a CRC of its bytes; a log that is damaged, or in which
// an entry is missing, is refused when it is opened: a server that has lost what it has
// acknowledged must not vote.
package raftlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"os"
	"runtime/debug"
	"time"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

// ErrCorrupt says that a log is damaged.
var ErrCorrupt = errors.New("the log is damaged")

var (
	logs   = []byte("logs")
	stable = []byte("stable")
	table  = crc32.MakeTable(crc32.Castagnoli)
)

// Store is a raft.LogStore and a raft.StableStore.
type Store struct{ db *bbolt.DB }

var (
	_ raft.LogStore          = (*Store)(nil)
	_ raft.StableStore       = (*Store)(nil)
	_ raft.MonotonicLogStore = (*Store)(nil)
)

// IsMonotonic says that entries must follow each other. raft empties the log then before it
// goes on behind a snapshot that another server has sent.
func (*Store) IsMonotonic() bool { return true }

// Open opens the file, mode 0600, and makes it if it is not there. A file that is refused is
// left as it is. Errors: bbolt's (ErrTimeout: another process has it open for wait);
// [ErrCorrupt].
func Open(path string, wait time.Duration) (*Store, error) {
	var db *bbolt.DB
	err := guard(func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: wait})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	s := &Store{db}
	err = guard(func() error {
		if err := checkMetas(db); err != nil {
			return err
		}
		missing := false
		err := db.View(func(tx *bbolt.Tx) error {
			missing = tx.Bucket(logs) == nil || tx.Bucket(stable) == nil
			return nil
		})
		switch {
		case err != nil:
			return err
		case missing:
			return s.create()
		}
		return s.check()
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return s, nil
}

// guard runs f, in which damage may show as a panic of bbolt's, or as a fault where the file
// was cut short.
func guard(f func() error) (err error) {
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, e)
		}
	}()
	return f()
}

// checkMetas refuses a file of which one of the two meta pages is damaged: bbolt would take
// the other one, and with it the state before the last transaction, which was acknowledged.
// A crash leaves one damaged only where the disk does not write a sector whole.
func checkMetas(db *bbolt.DB) error {
	f, err := os.Open(db.Path())
	if err != nil {
		return err
	}
	defer f.Close()
	for i := range int64(2) {
		// Behind the 16 bytes of a page's header: magic, version, sizes, roots, number of the
		// transaction, which goes to the pages in turn; FNV of them.
		var meta [64]byte
		if _, err := f.ReadAt(meta[:], i*int64(db.Info().PageSize)+16); err != nil {
			return err
		}
		sum := fnv.New64a()
		sum.Write(meta[:56])
		if binary.NativeEndian.Uint64(meta[56:]) != sum.Sum64() || binary.NativeEndian.Uint64(meta[48:])%2 != uint64(i) {
			return fmt.Errorf("%w: meta page %d", ErrCorrupt, i)
		}
	}
	return nil
}

func (s *Store) create() error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{logs, stable} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
}

// check reads the whole file.
func (s *Store) check() error {
	return s.db.View(func(tx *bbolt.Tx) error {
		err := tx.Bucket(stable).ForEach(func(key, record []byte) error {
			_, err := unseal(key, record)
			return err
		})
		if err != nil {
			return err
		}
		next := uint64(0)
		return tx.Bucket(logs).ForEach(func(key, record []byte) error {
			if len(key) != 8 {
				return fmt.Errorf("%w: a key of %d bytes", ErrCorrupt, len(key))
			}
			index := binary.BigEndian.Uint64(key)
			if next != 0 && index != next {
				return fmt.Errorf("%w: entry %d is missing", ErrCorrupt, next)
			}
			next = index + 1
			return decode(index, record, new(raft.Log))
		})
	})
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// FirstIndex is that of the first entry, 0 if there is none.
func (s *Store) FirstIndex() (uint64, error) { return s.end((*bbolt.Cursor).First) }

// LastIndex is that of the last entry, 0 if there is none.
func (s *Store) LastIndex() (uint64, error) { return s.end((*bbolt.Cursor).Last) }

func (s *Store) end(of func(*bbolt.Cursor) (key, value []byte)) (index uint64, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		if key, _ := of(tx.Bucket(logs).Cursor()); key != nil {
			index = binary.BigEndian.Uint64(key)
		}
		return nil
	})
	return index, err
}

// GetLog reads an entry. Errors: raft.ErrLogNotFound; [ErrCorrupt].
func (s *Store) GetLog(index uint64, l *raft.Log) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		record := tx.Bucket(logs).Get(number(index))
		if record == nil {
			return raft.ErrLogNotFound
		}
		return decode(index, record, l)
	})
}

// StoreLog writes an entry.
func (s *Store) StoreLog(l *raft.Log) error { return s.StoreLogs([]*raft.Log{l}) }

// StoreLogs writes entries, all or none. They must follow what is there.
func (s *Store) StoreLogs(entries []*raft.Log) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(logs)
		next := uint64(0)
		if key, _ := bucket.Cursor().Last(); key != nil {
			next = binary.BigEndian.Uint64(key) + 1
		}
		bucket.FillPercent = 0.9 // they come in order
		for _, l := range entries {
			if next != 0 && l.Index != next {
				return fmt.Errorf("entry %d does not follow %d", l.Index, next-1)
			}
			next = l.Index + 1
			if err := bucket.Put(number(l.Index), encode(l)); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteRange takes out the entries first to last.
func (s *Store) DeleteRange(first, last uint64) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(logs).Cursor()
		for key, _ := cursor.Seek(number(first)); key != nil && binary.BigEndian.Uint64(key) <= last; key, _ = cursor.Next() {
			if err := cursor.Delete(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Set keeps a value.
func (s *Store) Set(key, value []byte) error {
	sum := crc32.Update(crc32.Checksum(key, table), table, value)
	record := append(binary.BigEndian.AppendUint32(nil, sum), value...)
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(stable).Put(key, record) })
}

// ErrNotFound has the text by which raft knows that a value is not there.
var ErrNotFound = errors.New("not found")

// Get is a value that is kept. Errors: [ErrNotFound], [ErrCorrupt].
func (s *Store) Get(key []byte) (value []byte, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		kept := tx.Bucket(stable).Get(key)
		if kept == nil {
			return ErrNotFound
		}
		value, err = unseal(key, kept)
		return err
	})
	return value, err
}

func unseal(key, record []byte) (value []byte, err error) {
	if len(record) < 4 || binary.BigEndian.Uint32(record) != crc32.Update(crc32.Checksum(key, table), table, record[4:]) {
		return nil, fmt.Errorf("%w: the value of %q", ErrCorrupt, key)
	}
	return append([]byte{}, record[4:]...), nil
}

// SetUint64 keeps a number.
func (s *Store) SetUint64(key []byte, n uint64) error { return s.Set(key, number(n)) }

// GetUint64 is a number that is kept: [ErrNotFound].
func (s *Store) GetUint64(key []byte) (uint64, error) {
	value, err := s.Get(key)
	if err != nil {
		return 0, err
	}
	if len(value) != 8 {
		return 0, fmt.Errorf("%w: %q is no number", ErrCorrupt, key)
	}
	return binary.BigEndian.Uint64(value), nil
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// A record: CRC of the index and of all that follows, term, time, kind, length of the
// extensions, extensions, payload.
const header = 4 + 8 + 8 + 1 + 4

func checksum(index uint64, rest []byte) uint32 {
	return crc32.Update(crc32.Checksum(number(index), table), table, rest)
}

func encode(l *raft.Log) []byte {
	b := make([]byte, 4, header+len(l.Extensions)+len(l.Data))
	b = binary.BigEndian.AppendUint64(b, l.Term)
	at := int64(0)
	if !l.AppendedAt.IsZero() {
		at = l.AppendedAt.UnixNano()
	}
	b = append(binary.BigEndian.AppendUint64(b, uint64(at)), byte(l.Type))
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(l.Extensions))), l.Extensions...)
	b = append(b, l.Data...)
	binary.BigEndian.PutUint32(b, checksum(l.Index, b[4:]))
	return b
}

func decode(index uint64, b []byte, l *raft.Log) error {
	if len(b) < header || binary.BigEndian.Uint32(b) != checksum(index, b[4:]) {
		return fmt.Errorf("%w: entry %d", ErrCorrupt, index)
	}
	extensions := uint64(binary.BigEndian.Uint32(b[21:]))
	if extensions > uint64(len(b)-header) {
		return fmt.Errorf("%w: entry %d", ErrCorrupt, index)
	}
	*l = raft.Log{Index: index, Term: binary.BigEndian.Uint64(b[4:]), Type: raft.LogType(b[20])}
	if at := int64(binary.BigEndian.Uint64(b[12:])); at != 0 {
		l.AppendedAt = time.Unix(0, at)
	}
	// What bbolt gives lives no longer than the transaction.
	l.Extensions = append([]byte(nil), b[header:header+extensions]...)
	l.Data = append([]byte(nil), b[header+extensions:]...)
	return nil
}
