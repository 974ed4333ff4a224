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

// crash is what a power failure may leave.
type crash struct {
	image
	least, most uint64 // the transactions one of whose states it must have
	h           *history
	how         string // for people
}

// disk is a file at some moment.
type disk struct {
	safe    image // what the disk has for certain
	pending []event
}

func (d *disk) flush() {
	for _, e := range d.pending {
		if e.kind == grew {
			d.safe.size = max(d.safe.size, int(e.at))
		}
		d.safe.put(e.bytes, int(e.at))
	}
	d.pending = nil
}

// put writes what has room.
func (m *image) put(b []byte, at int) {
	end := min(at+len(b), m.size)
	if at >= end {
		return
	}
	if n := end - len(m.bytes); n > 0 {
		m.bytes = append(m.bytes, make([]byte, n)...)
	}
	copy(m.bytes[at:end], b)
}

// old is the n bytes at a place.
func (m *image) old(at, n int) []byte {
	if at >= len(m.bytes) {
		return zeros[:n]
	}
	return m.bytes[at:min(at+n, len(m.bytes))]
}

// write makes a file of it, in the memory that the file has already.
func (m *image) write(t testing.TB, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, f.Truncate(int64(len(m.bytes))))
	_, err = f.WriteAt(m.bytes, 0)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(int64(m.size)))
}

const sector = 512

// piece is a part of a write that comes to the disk or does not.
type piece struct {
	at    int
	bytes []byte
	write int // the number of the write
}

// pieces are the parts of what is pending, in units of so many bytes, that change something.
func (d *disk) pieces(unit int) (pieces []piece) {
	for i, e := range d.pending {
		for from := 0; from < len(e.bytes); from += unit {
			p := piece{int(e.at) + from, e.bytes[from:min(from+unit, len(e.bytes))], i}
			if !bytes.Equal(d.safe.old(p.at, len(p.bytes)), p.bytes) {
				pieces = append(pieces, p)
			}
		}
	}
	return pieces
}

var zeros [pageSize]byte

// length is how long the file may be.
func (d *disk) length(rng *rand.Rand) int {
	least := d.safe.size
	most := least
	for _, e := range d.pending {
		if e.kind == grew {
			most = max(most, int(e.at))
		}
	}
	switch rng.IntN(8) {
	case 0:
		return least
	case 1:
		return least + rng.IntN((most-least)/pageSize+1)*pageSize
	}
	return most
}

// fail makes an image of what is certain and a part of what is pending, in any order, in
// units of so many bytes.
func (d *disk) fail(rng *rand.Rand, unit int, buffer []byte) (m image, how string) {
	total := 0
	for _, e := range d.pending {
		total += len(e.bytes)
	}
	if total > 64*pageSize {
		unit = max(unit, sector) // it takes too long with so many
	}
	m = image{append(buffer[:0], d.safe.bytes...), d.length(rng)}
	pieces := d.pieces(unit)
	n := len(pieces)
	if n == 0 {
		return m, fmt.Sprintf("%d bytes long", m.size)
	}
	style := []string{"in order", "any", "all but one", "only one", "one write torn"}[rng.IntN(5)]
	switch style {
	case "one write torn":
		one := pieces[rng.IntN(n)].write
		if rng.IntN(2) == 0 {
			one = pieces[n-1].write
		}
		rng.Shuffle(n, func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
		torn := 0
		for i := range pieces { // to the end
			if pieces[i].write == one {
				torn++
			} else {
				pieces[i-torn], pieces[i] = pieces[i], pieces[i-torn]
			}
		}
		n -= rng.IntN(torn + 1)
	case "in order":
		n = rng.IntN(n + 1)
	default:
		rng.Shuffle(n, func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
		n = map[string]int{"any": rng.IntN(n + 1), "all but one": n - 1, "only one": 1}[style]
	}
	for _, p := range pieces[:n] {
		m.put(p.bytes, p.at)
	}
	// A sector that was being written need not have its old or its new content.
	if rng.IntN(4) == 0 {
		start := pieces[rng.IntN(len(pieces))].at / sector * sector
		garbage := make([]byte, sector)
		for i := range garbage {
			garbage[i] = byte(rng.Uint32())
		}
		m.put(garbage, start)
		style += ", a sector of garbage"
	}
	return m, fmt.Sprintf("%s, in units of %d, %d of %d, %d bytes long", style, unit, n, len(pieces), m.size)
}

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
