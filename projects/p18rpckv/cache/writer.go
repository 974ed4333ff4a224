package cache

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/kvrpc"
	"unpipc/gobind/mmap"
	"unpipc/gobind/posixshm"
)

// Writer writes a cache. Its methods may be called at once, and do nothing on nil, which
// is a server without a cache. None of them waits for a reader.
type Writer struct {
	object *posixshm.Object
	owner  *owner
	memory []byte

	mu       sync.Mutex
	parts    parts
	reserved uint64
	slots    []slot   // what the index holds; what readers see is never read back
	scratch  []uint64 // a record
	failed   error
	hook     func(point string) // of tests
}

// slot is a slot of the index.
type slot struct{ hash, position uint64 }

// Put says that a write has put a value at a key.
func (w *Writer) Put(key, value []byte, revision uint64) {
	w.change(func() {
		if len(key) > kvrpc.MaxKey || len(value) > kvrpc.MaxValue {
			w.drop(hashOf(key)) // it cannot be here, so neither may what was before
			return
		}
		hash := hashOf(key)
		position := w.write(hash, revision, key, value)
		w.set(w.place(hash), slot{hash, position})
		w.reached("published")
	})
}

// Delete says that a write has taken a key out.
func (w *Writer) Delete(key []byte) { w.change(func() { w.drop(hashOf(key)) }) }

// Reset takes out everything, as before the store is restored from a snapshot.
func (w *Writer) Reset() {
	w.change(func() {
		for i, s := range w.slots {
			if s.position != 0 {
				w.set(uint64(i), slot{})
				w.reached("resetting")
			}
		}
	})
}

// Beat says that, an age ago, the server knew of all writes up to the index applied, and
// all of them have been given to Put and Delete. Neither index nor time ever goes back. It
// is to be called after writes and, so that readers see an age that is small, now and then.
func (w *Writer) Beat(applied uint64, age time.Duration) {
	w.change(func() {
		words := w.parts.words
		// Who reads asOf first gets an index that is at least its own.
		atomic.StoreUint64(&words[appliedAt], max(applied, atomic.LoadUint64(&words[appliedAt])))
		w.reached("beating")
		asOf := now() - uint64(max(age, 0))
		atomic.StoreUint64(&words[asOfAt], max(asOf, atomic.LoadUint64(&words[asOfAt])))
	})
}

// Err is why nothing is written any more: the object was made shorter by another process.
func (w *Writer) Err() error {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

// Close ends the cache: readers that have it open are told, and its name is removed.
func (w *Writer) Close() error {
	if w == nil {
		return nil
	}
	w.change(func() { atomic.StoreUint64(&w.parts.words[closedAt], 1) })
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.memory == nil {
		return nil
	}
	var err error
	if linked(w.object) { // and while this process owns it nobody replaces it
		err = posixshm.Unlink(w.object.Name())
	}
	err = errors.Join(err, w.owner.end(), posixshm.Unmap(w.memory), w.object.Close())
	w.memory, w.parts, w.failed = nil, parts{}, errors.New("the cache is closed")
	return err
}

// change changes the memory, unless that has failed before.
func (w *Writer) change(how func()) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed == nil {
		w.failed = mmap.Catch(w.memory, how)
	}
}

// write writes a record, which no reader looks at yet, and returns its position.
func (w *Writer) write(hash, revision uint64, key, value []byte) uint64 {
	arena := w.parts.arena
	capacity := uint64(len(arena))
	need := recordHead + wordsFor(len(key)+len(value))
	position := w.reserved
	if rest := capacity - position%capacity; need > rest {
		position += rest // it lies in one piece
	}
	record := w.scratch[:need]
	record[need-1] = 0 // behind its end
	text := bytesOf(record[recordHead:])
	text = text[:copy(text, key)+copy(text[len(key):], value)]
	record[0], record[1], record[2] = hash, revision, uint64(len(key))|uint64(len(value))<<32
	record[3] = recordSum(position, record, text)

	w.reserved = position + need
	atomic.StoreUint64(&w.parts.words[reservedAt], w.reserved) // before a word of older records is lost
	w.reached("reserved")
	// Word by word, so that the memory model orders them after reserved and before the slot,
	// and the readers' loads between their looks at reserved.
	to := arena[position%capacity:][:need]
	for i, word := range record {
		if uint64(i) == need/2 {
			w.reached("half")
		}
		atomic.StoreUint64(&to[i], word)
	}
	w.reached("written")
	return position
}

// place is the slot for a key: the one it has, else a free one, else the one whose record
// is the oldest.
func (w *Writer) place(hash uint64) uint64 {
	first := w.parts.bucket(hash)
	best := first
	for i := first; i < first+ways; i++ {
		if w.slots[i].position != 0 && w.slots[i].hash == hash {
			return i
		}
		if w.slots[i].position < w.slots[best].position {
			best = i
		}
	}
	return best
}

func (w *Writer) drop(hash uint64) {
	first := w.parts.bucket(hash)
	for i := first; i < first+ways; i++ {
		if w.slots[i].position != 0 && w.slots[i].hash == hash {
			w.set(i, slot{})
		}
	}
	w.reached("dropped")
}

func (w *Writer) set(i uint64, s slot) {
	w.slots[i] = s
	atomic.StoreUint64(&w.parts.index[i], s.position)
}

func (w *Writer) reached(point string) {
	if w.hook != nil {
		w.hook(point)
	}
}

// now is CLOCK_BOOTTIME, which no one sets, in ns.
func now() uint64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) // Linux has it
	return uint64(t.Nano())
}
