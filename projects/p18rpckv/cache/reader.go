package cache

import (
	"bytes"
	"errors"
	"io/fs"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/kvrpc"
	"unpipc/gobind/mmap"
	"unpipc/gobind/posixshm"
)

// ErrDamaged is of an object that was changed or made shorter by something other than its
// writer.
var ErrDamaged = errors.New("the cache is damaged")

// Reader reads a cache. Its methods may be called at once.
type Reader struct {
	name   string
	memory []byte
	parts  parts
	pid    int
	hook   func() // of tests: half a record is copied
}

// Found is what a cache says about a key.
type Found struct {
	Value    []byte
	Revision uint64
	Present  bool // false: not here, which says nothing about the store
	Freshness
}

// Freshness is how old the knowledge of a cache may be: Age ago, its server knew of all
// writes up to Index, and so does the answer. What it says of later writes is chance.
type Freshness struct {
	Age   time.Duration
	Index uint64
}

// Open opens the cache of that name, for reading only.
// Errors: *fs.PathError with ENOENT (there is none, or it is being made), EPERM (it is
// another user's, or others may write it), [ErrUnfit].
func Open(name string) (*Reader, error) {
	fail := func(err error) error { return &fs.PathError{Op: "open cache", Path: name, Err: err} }
	object, err := posixshm.Open(name, unix.O_RDONLY, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fail(unix.EPERM)
	} else if err != nil {
		return nil, err
	}
	defer object.Close()
	st, err := object.Stat()
	if err != nil {
		return nil, err
	}
	if st.UID != unix.Geteuid() || st.Mode&0o022 != 0 {
		return nil, fail(unix.EPERM)
	}
	h, err := readHeader(object)
	if st.Bytes == 0 || err == nil && h.magic == [8]byte{} {
		return nil, fail(unix.ENOENT)
	}
	if err != nil || !h.fits(int64(st.Bytes)) {
		return nil, fail(ErrUnfit)
	}
	memory, err := object.Map(st.Bytes, false)
	if err != nil {
		return nil, err
	}
	return &Reader{name: name, memory: memory, parts: divide(memory, &h), pid: int(h.pid)}, nil
}

// Close ends the reading; nothing of the cache may be used then.
func (r *Reader) Close() error { return posixshm.Unmap(r.memory) }

// Server is the process that writes the cache, or wrote it, as it knew its own number.
func (r *Reader) Server() int { return r.pid }

// Life is what became of the server. Error: [ErrDamaged].
func (r *Reader) Life() (life Life, err error) {
	err = r.look(func() error {
		life = Closed
		if atomic.LoadUint64(&r.parts.words[closedAt]) == 0 {
			life = lifeOf(atomic.LoadUint32(lifeWord(r.memory)))
		}
		return nil
	})
	return life, err
}

// Get looks for a key. Error: [ErrDamaged], in an *fs.PathError.
func (r *Reader) Get(key []byte) (found Found, err error) {
	err = r.look(func() error {
		// First, so that no write up to the index is missed by what follows.
		freshness, err := r.freshness()
		if err != nil {
			return err
		}
		if freshness.Index > 0 { // else the server has not said yet what is in here
			found, err = r.lookUp(key)
		}
		found.Freshness = freshness
		return err
	})
	return found, err
}

// look touches the memory.
func (r *Reader) look(how func() error) error {
	var err error
	if fault := mmap.Catch(r.memory, func() { err = how() }); fault != nil {
		err = errors.Join(ErrDamaged, fault)
	}
	if err != nil {
		return &fs.PathError{Op: "read cache", Path: r.name, Err: err}
	}
	return nil
}

func (r *Reader) freshness() (Freshness, error) {
	asOf := atomic.LoadUint64(&r.parts.words[asOfAt])
	applied := atomic.LoadUint64(&r.parts.words[appliedAt])
	now := now()
	if asOf > now {
		return Freshness{}, ErrDamaged
	}
	return Freshness{time.Duration(now - asOf), applied}, nil
}

func (r *Reader) lookUp(key []byte) (Found, error) {
	hash := hashOf(key)
	first := r.parts.bucket(hash)
	for i := first; i < first+ways; i++ {
		slot := &r.parts.index[i]
		// A put may move a key's slot on and destroy the old record while that is copied.
		for position, tries := atomic.LoadUint64(slot), 0; position != 0 && tries < 10; tries++ {
			found, err := r.record(position, hash, key)
			if found.Present || err != nil {
				return found, err
			}
			old := position
			if position = atomic.LoadUint64(slot); position == old {
				break
			}
		}
	}
	return Found{}, nil
}

// record reads the record at a position, if it has this key and is still there.
func (r *Reader) record(position, hash uint64, key []byte) (Found, error) {
	arena := r.parts.arena
	capacity := uint64(len(arena))
	from := arena[position%capacity:]
	if !r.holds(position) {
		return Found{}, nil
	}
	if len(from) < recordHead {
		return Found{}, ErrDamaged
	}
	if atomic.LoadUint64(&from[0]) != hash {
		return Found{}, nil
	}
	lengths := atomic.LoadUint64(&from[2])
	keyLength, valueLength := lengths&(1<<32-1), lengths>>32
	fits := keyLength <= kvrpc.MaxKey && valueLength <= kvrpc.MaxValue
	size := uint64(recordHead)
	if fits {
		size += wordsFor(int(keyLength + valueLength))
		fits = size <= uint64(len(from))
	}
	var record []uint64
	if fits {
		record = make([]uint64, size)
		for i := range record {
			if r.hook != nil && i == len(record)/2 {
				r.hook()
			}
			record[i] = atomic.LoadUint64(&from[i])
		}
	}
	if !r.holds(position) { // what was read may be of two records
		return Found{}, nil
	}
	if !fits {
		return Found{}, ErrDamaged
	}
	text := bytesOf(record[recordHead:])
	if record[2] != lengths || uint64(len(text)) < keyLength+valueLength {
		return Found{}, ErrDamaged
	}
	text = text[:keyLength+valueLength]
	if record[3] != recordSum(position, record, text) {
		return Found{}, ErrDamaged
	}
	if !bytes.Equal(text[:keyLength], key) {
		return Found{}, nil
	}
	return Found{Value: text[keyLength:], Revision: record[1], Present: true}, nil
}

// holds says whether the arena still has all of the record at a position.
func (r *Reader) holds(position uint64) bool {
	reserved := atomic.LoadUint64(&r.parts.words[reservedAt])
	return position < reserved && reserved-position <= uint64(len(r.parts.arena))
}
