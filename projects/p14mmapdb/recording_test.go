package p14mmapdb

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// event is one thing that was done to a file.
type event struct {
	kind  byte   // one of the following
	at    int64  // where was written, or the new size
	bytes []byte // what was written
	tx    uint64 // what was reported
}

const (
	wrote    = iota
	grew     // the file became longer
	flushed  // all before is on the disk
	reported // the caller of the database knows that its transaction is on the disk
)

// records are the content of a state.
type records map[string]string

// image is a file: bytes, and zeros up to its size.
type image struct {
	bytes []byte
	size  int
}

// history is all that was done to a file from some moment on.
type history struct {
	start  image              // the file at first
	events []event            // what was done to it
	states map[uint64]records // the states that there were, by transaction
	first  uint64             // the transaction of start's state, 0: start is not a database yet
	noSync bool               // what is reported is on the disk only after a later flush
	lock   []byte             // the lock file
}

// recorder writes a history.
type recorder struct {
	File
	h *history
}

func (r *recorder) add(e event) { r.h.events = append(r.h.events, e) }

func (r *recorder) WriteAt(b []byte, offset int64) (int, error) {
	r.add(event{kind: wrote, at: offset, bytes: bytes.Clone(b)})
	return r.File.WriteAt(b, offset)
}

func (r *recorder) Allocate(size int64) error {
	r.add(event{kind: grew, at: size})
	return r.File.Allocate(size)
}

// Sync need not reach the disk here.
func (r *recorder) Sync() error {
	r.add(event{kind: flushed})
	return nil
}

// edit is a change of one record.
type edit struct {
	key, value string
	gone       bool
}

// workload makes the edits of the i-th transaction.
type workload func(rng *rand.Rand, i int, now records) []edit

// play makes transactions on a database of the bytes of h.start.
func (h *history) play(t testing.TB, path string, transactions int, rng *rand.Rand, work workload, spoil func(*Tx)) {
	t.Helper()
	h.start.write(t, path)
	db, err := Open(path, Options{NoSync: h.noSync, Wrap: func(f File) File { return &recorder{f, h} }})
	require.NoError(t, err)
	now := h.states[h.first]
	for i := range transactions {
		next := maps.Clone(now)
		edits := work(rng, i, now)
		tx := uint64(0)
		require.NoError(t, db.Update(ctx, func(x *Tx) error {
			x.OnCommit(func(x *Tx) { tx = x.Transaction() })
			for _, e := range edits {
				if e.gone {
					require.NoError(t, x.Delete([]byte(e.key)))
					delete(next, e.key)
				} else {
					require.NoError(t, x.Put([]byte(e.key), []byte(e.value)))
					next[e.key] = e.value
				}
			}
			if spoil != nil {
				spoil(x)
			}
			return nil
		}))
		if tx == 0 {
			continue // nothing was to be changed
		}
		// A power failure may come while a transaction is made, so its state counts from here on.
		now, h.states[tx] = next, next
		h.events = append(h.events, event{kind: reported, tx: tx})
	}
	h.lock, err = os.ReadFile(lockPath(path))
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.NoError(t, os.Remove(lockPath(path)))
}
