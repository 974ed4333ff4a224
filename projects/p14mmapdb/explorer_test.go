package p14mmapdb

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// explorer looks at images.
type explorer struct {
	t     testing.TB
	rng   *rand.Rand
	path  string // of an image
	each  int    // images a moment
	depth int    // how often an image may fail again
	mend  func(image []byte)
	also  func(c *crash, tx uint64) error // looks at an image that is right
	seen  map[uint64]bool                 // images that were looked at
	seed  maphash.Seed
	spare [][]byte // memory for an image of each depth
}

// newExplorer has its files in memory: what is flushed is the recorder's to say.
func newExplorer(t testing.TB, seed uint64, each int) *explorer {
	dir, err := os.MkdirTemp("/dev/shm", fmt.Sprintf("unpipc-%d-mmapdb-", os.Getpid()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return &explorer{
		t: t, rng: rand.New(rand.NewPCG(seed, 14)), path: filepath.Join(dir, "image"), each: each,
		seen: map[uint64]bool{}, seed: maphash.MakeSeed(), spare: make([][]byte, 8),
	}
}

// explore makes images of every moment of a history, until one is wrong.
func (e *explorer) explore(h *history) error {
	d := &disk{safe: image{bytes.Clone(h.start.bytes), h.start.size}}
	least, most := h.first, h.first
	for i, ev := range h.events {
		switch ev.kind {
		case flushed:
			d.flush()
			if h.noSync {
				least = most
			}
		case reported:
			most = ev.tx
			if !h.noSync || least == 0 {
				least = ev.tx
			}
		default:
			d.pending = append(d.pending, ev)
		}
		if most == 0 {
			continue // it has no name yet
		}
		for range e.each {
			c := &crash{h: h, least: least, most: most + 1}
			c.image, c.how = d.fail(e.rng, []int{pageSize, sector, 8}[e.rng.IntN(3)], e.spare[e.depth])
			e.spare[e.depth] = c.bytes
			if err := e.look(c); err != nil {
				return fmt.Errorf("event %d of %d, %s: %w", i, len(h.events), c.how, err)
			}
		}
	}
	return nil
}

// look verifies an image that was not seen before.
func (e *explorer) look(c *crash) error {
	var sum maphash.Hash
	sum.SetSeed(e.seed)
	maphash.WriteComparable(&sum, [3]uint64{c.least, c.most, uint64(c.size)})
	_, _ = sum.Write(c.bytes)
	if e.seen[sum.Sum64()] {
		return nil
	}
	e.seen[sum.Sum64()] = true
	if e.mend != nil {
		e.mend(c.bytes)
	}
	tx, err := e.verify(c)
	if err == nil && e.also != nil {
		err = e.also(c, tx)
	}
	if err != nil || e.depth == 0 || e.rng.IntN(40) > 0 {
		return err
	}
	// It is opened, changed, and then the power fails again.
	h := &history{start: c.image, first: tx, states: map[uint64]records{tx: c.h.states[tx]}}
	h.play(e.t, e.path+"-again", 1+e.rng.IntN(3), e.rng, mixed, nil)
	e.depth--
	each := e.each
	e.each = 2
	err = e.explore(h)
	e.each = each
	e.depth++
	if err != nil {
		err = fmt.Errorf("after %s: %w", c.how, err)
	}
	return err
}

// verify opens an image and says which state it has, and whether all is right.
func (e *explorer) verify(c *crash) (tx uint64, err error) {
	// Of the lock file anything may have come to the disk.
	lock := bytes.Clone(c.h.lock)
	switch kind := e.rng.IntN(4); {
	case kind == 0 || lock == nil:
		_ = os.Remove(lockPath(e.path))
	case kind == 1:
		for at := 0; at < len(lock); at += sector {
			if e.rng.IntN(2) == 0 {
				clear(lock[at:min(at+sector, len(lock))])
			}
		}
		lock = lock[:e.rng.IntN(len(lock)/sector+1)*sector]
		fallthrough
	default:
		m := image{lock, len(lock)}
		m.write(e.t, lockPath(e.path))
	}
	c.write(e.t, e.path)
	db, err := Open(e.path, Options{NoSync: true})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.View(func(t *Tx) error {
		tx = t.Transaction()
		return c.right(t)
	})
	if err != nil || e.rng.IntN(4) > 0 {
		return tx, err
	}
	// It is as good as any other.
	if err := db.Update(ctx, func(t *Tx) error { return t.Put([]byte("after"), make([]byte, e.rng.IntN(5000))) }); err != nil {
		return tx, err
	}
	_, err = db.Check()
	return tx, err
}

// right says that a state is whole, and the one that it must be.
func (c *crash) right(t *Tx) error {
	tx := t.Transaction()
	want, there := c.h.states[tx]
	if tx < c.least || tx > c.most || !there {
		return fmt.Errorf("transaction %d, not %d to %d", tx, c.least, c.most)
	}
	t.verify = true
	k := &checker{Tx: t, seen: make([]uint64, (t.pages+63)/64)}
	for _, step := range []func() error{k.tree, k.log, k.rest} {
		if err := step(); err != nil {
			return err
		}
	}
	t.verify = false
	keys := slices.Sorted(maps.Keys(want))
	cursor := t.Cursor()
	for more := cursor.First(); more; more = cursor.Next() {
		key, value, err := cursor.Record()
		if err != nil {
			return err
		}
		if len(keys) == 0 || keys[0] != string(key) || want[keys[0]] != string(value) {
			return fmt.Errorf("transaction %d has another record %.20q", tx, key)
		}
		keys = keys[1:]
	}
	if len(keys) > 0 {
		return fmt.Errorf("transaction %d has no record %.20q", tx, keys[0])
	}
	return cursor.Err()
}
