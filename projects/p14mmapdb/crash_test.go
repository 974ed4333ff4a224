package p14mmapdb

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/programs"
)

// value has that many bytes, or up to that many; some are zeros, as unwritten sectors are.
func valueOf(rng *rand.Rand, most int) string {
	b := make([]byte, rng.IntN(most+1))
	if rng.IntN(4) > 0 {
		for i := range b {
			b[i] = byte('a' + rng.IntN(26))
		}
	}
	return string(b)
}

func anyOf(rng *rand.Rand, now records) string {
	keys := slices.Sorted(maps.Keys(now))
	return keys[rng.IntN(len(keys))]
}

// mixed puts and deletes a few of some records.
func mixed(rng *rand.Rand, _ int, now records) (edits []edit) {
	gone := map[string]bool{}
	for range 1 + rng.IntN(5) {
		if key := fmt.Sprint("key ", rng.IntN(50)); !gone[key] && rng.IntN(3) > 0 {
			edits = append(edits, edit{key: key, value: valueOf(rng, []int{0, 30, 500, 9000}[rng.IntN(4)])})
		} else if len(now) > 0 {
			if key = anyOf(rng, now); !gone[key] && !slices.ContainsFunc(edits, func(e edit) bool { return e.key == key }) {
				gone[key] = true
				edits = append(edits, edit{key: key, gone: true})
			}
		}
	}
	return edits
}

// growing adds records that make the file grow.
func growing(rng *rand.Rand, i int, _ records) (edits []edit) {
	for k := range 20 {
		edits = append(edits, edit{key: fmt.Sprintf("%04d %d", rng.IntN(1000), 100*i+k), value: valueOf(rng, 4000)})
	}
	return edits
}

// shrinking puts many records, and then deletes them all.
func shrinking(rng *rand.Rand, i int, now records) (edits []edit) {
	if i == 0 {
		for k := range 400 {
			edits = append(edits, edit{key: fmt.Sprintf("%03d", k), value: valueOf(rng, 300)})
		}
		return edits
	}
	keys := slices.Sorted(maps.Keys(now))
	rng.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, key := range keys[:min(12, len(keys))] {
		edits = append(edits, edit{key: key, gone: true})
	}
	return edits
}

// reusing puts the same records over and over.
func reusing(rng *rand.Rand, i int, _ records) (edits []edit) {
	if i == 0 {
		for k := range 120 {
			edits = append(edits, edit{key: fmt.Sprintf("%03d", k), value: valueOf(rng, 400)})
		}
		return edits
	}
	for range 1 + rng.IntN(3) {
		edits = append(edits, edit{key: fmt.Sprintf("%03d", rng.IntN(120)), value: valueOf(rng, 400)})
	}
	return edits
}

// large puts values with pages of their own.
func large(rng *rand.Rand, _ int, _ records) []edit {
	return []edit{{key: fmt.Sprint("large ", rng.IntN(4)), value: valueOf(rng, 150_000)}, {key: "small", value: valueOf(rng, 99)}}
}

// batches are transactions of more pages than a meta page can list, between small ones.
func batches(rng *rand.Rand, i int, now records) (edits []edit) {
	if i%3 != 1 {
		return mixed(rng, i, now)
	}
	for k := range maxListed + 20 {
		edits = append(edits, edit{key: fmt.Sprintf("batch %04d", k), value: valueOf(rng, 10) + string(make([]byte, 1990))})
		edits = append(edits, edit{key: fmt.Sprintf("batch %04d+", k), value: string(make([]byte, 1990))})
	}
	return edits
}

// created is the history of a new database.
func created(t testing.TB, path string) *history {
	t.Helper()
	h := &history{states: map[uint64]records{3: {}}}
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, writeEmpty(&recorder{osFile{f}, h}, 0))
	h.events = append(h.events, event{kind: reported, tx: 3})
	return h
}

// worked is the history of a new database with so many transactions.
func worked(t testing.TB, e *explorer, transactions int, noSync bool, work workload, spoil func(*Tx)) *history {
	t.Helper()
	path := e.path + "-first"
	h := created(t, path)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	next := &history{start: image{b, len(b)}, first: 3, states: h.states, noSync: noSync}
	next.play(t, path, transactions, e.rng, work, spoil)
	if !noSync {
		next.start, next.first = image{}, 0
		next.events = append(h.events, next.events...)
	}
	return next
}

var workloads = []struct {
	name         string
	work         workload
	transactions int
	each         int
	noSync       bool
}{
	{"a few records come and go", mixed, 120, 6, false},
	{"the file grows", growing, 40, 2, false},
	{"all is deleted again", shrinking, 40, 5, false},
	{"pages are used again", reusing, 150, 4, false},
	{"large values", large, 50, 5, false},
	{"large transactions with two flushes", batches, 12, 10, false},
	{"without waiting for the disk", mixed, 150, 5, true},
	{"large ones without waiting", large, 40, 5, true},
}

// imagesWanted is how many images are looked at, at least.
var imagesWanted = 10_000

// After a power failure, whatever of the last writes is on the disk, all that was reported
// is there, and nothing is there by half.
func TestAPowerFailureLosesNothingThatWasReported(t *testing.T) {
	total := 0
	for i, w := range workloads {
		t.Run(w.name, func(t *testing.T) {
			e := newExplorer(t, uint64(i), max(1, w.each*imagesWanted/10_000))
			e.depth = imagesWanted / 5_000
			h := worked(t, e, w.transactions, w.noSync, w.work, nil)
			require.NoError(t, e.explore(h))
			t.Logf("%d images of %d events", len(e.seen), len(h.events))
			total += len(e.seen)
		})
	}
	t.Logf("%d images, no two alike", total)
	assert.GreaterOrEqual(t, total, imagesWanted)
}

// The reference in C finds the same state in an image, and goes on from there.
func TestAfterAPowerFailureGoAndCSeeTheSame(t *testing.T) {
	t.Parallel()
	inC := filepath.Join(programs.Build(t, "p14mmapdb").C, "mmapdb")
	for i, w := range []workload{mixed, large} {
		for _, noSync := range []bool{false, true} {
			e := newExplorer(t, uint64(20+i), 1)
			path := e.path + "-c"
			e.also = func(c *crash, tx uint64) error {
				c.write(t, path)
				_ = os.Remove(lockPath(path))
				if linesOf(c.h.states[tx]) != succeed(t, nil, inC, "scan", path) {
					return fmt.Errorf("C does not see transaction %d", tx)
				}
				succeed(t, nil, inC, "insert", "--no-sync", path, "after", "all")
				db, err := Open(path, Options{NoSync: true})
				if err != nil {
					return err
				}
				defer db.Close()
				_, err = db.Check()
				return err
			}
			require.NoError(t, e.explore(worked(t, e, 8, noSync, w, nil)))
			require.Greater(t, len(e.seen), 20)
		}
	}
}

// misses asserts that a history with a fault, or a reader with one, is found out.
func misses(t *testing.T, e *explorer, h *history) {
	t.Helper()
	err := e.explore(h)
	require.Error(t, err, "none of %d images shows it", len(e.seen))
	t.Logf("image %d: %v", len(e.seen), err)
}

func without(h *history, gone func(i int) bool) *history {
	n := *h
	n.events = nil
	for i, e := range h.events {
		if !gone(i) {
			n.events = append(n.events, e)
		}
	}
	return &n
}

func isMeta(e event) bool { return e.kind == wrote && (e.at == pageSize || e.at == 2*pageSize) }

func TestTheExplorerSeesAFlushThatIsLeftOut(t *testing.T) {
	t.Run("all", func(t *testing.T) {
		e := newExplorer(t, 1, 2)
		h := worked(t, e, 5, false, mixed, nil)
		misses(t, e, without(h, func(i int) bool { return h.events[i].kind == flushed && i > 3 }))
	})
	t.Run("at creation", func(t *testing.T) {
		e := newExplorer(t, 1, 20)
		h := created(t, e.path+"-first")
		require.NoError(t, e.explore(h))
		misses(t, e, without(h, func(i int) bool { return h.events[i].kind == flushed }))
	})
	t.Run("before a large transaction's meta page", func(t *testing.T) {
		e := newExplorer(t, 1, 20)
		h := worked(t, e, 3, false, batches, nil)
		left := 0
		short := without(h, func(i int) bool {
			large := h.events[i].kind == flushed && i > 0 && i+1 < len(h.events) && isMeta(h.events[i+1]) && h.events[i-1].kind == wrote && h.events[i-1].at > 2*pageSize
			if large {
				left++
			}
			return large
		})
		require.Equal(t, 1, left)
		misses(t, e, short)
	})
}

// As if nobody compared the checksums of meta pages.
func TestTheExplorerSeesThatTheMetaPageHasNoChecksum(t *testing.T) {
	e := newExplorer(t, 2, 30)
	h := worked(t, e, 40, false, mixed, nil)
	require.NoError(t, e.explore(h))
	e.seen = map[uint64]bool{}
	e.mend = func(image []byte) {
		for at := 1; at < firstPage; at++ {
			page := image[at*pageSize : (at+1)*pageSize]
			put32(page, checksum(page[4:]))
		}
	}
	misses(t, e, h)
}

// As if nobody looked whether the pages that a meta page lists are there.
func TestTheExplorerSeesThatThePagesAreNotListed(t *testing.T) {
	e := newExplorer(t, 3, 5)
	h := worked(t, e, 5, false, mixed, nil)
	e.mend = func(image []byte) {
		for at := 1; at < firstPage; at++ {
			page := image[at*pageSize : (at+1)*pageSize]
			if le32(page) == checksum(page[4:]) {
				put32(page[56:], 0)
				put32(page, checksum(page[4:]))
			}
		}
	}
	misses(t, e, h)
}

// Each write counts.
func TestTheExplorerSeesAWriteThatIsLost(t *testing.T) {
	e := newExplorer(t, 4, 1)
	h := worked(t, e, 12, false, mixed, nil)
	lost := 0
	for i, ev := range h.events {
		if ev.kind != wrote || i < 4 {
			continue
		}
		end := i + slices.IndexFunc(h.events[i:], func(e event) bool { return e.kind == reported })
		short := *h
		short.events = slices.Concat(h.events[:i], h.events[i+1:end+1])
		require.Error(t, e.explore(&short), "event %d", i)
		lost++
	}
	require.Greater(t, lost, 20)
}

// As if a transaction took the pages at once that it gives up itself.
func TestTheExplorerSeesPagesThatAreUsedTooEarly(t *testing.T) {
	early := func(x *Tx) {
		for _, f := range x.write.freed {
			x.db.free.set(f)
		}
		x.write.freed = nil
	}
	e := newExplorer(t, 5, 10)
	h := worked(t, e, 60, false, reusing, early)
	// Nothing is wrong as long as the power does not fail.
	d := &disk{pending: h.events}
	d.flush()
	path := filepath.Join(t.TempDir(), "whole")
	db, err := openBytes(t, path, append(d.safe.bytes, make([]byte, d.safe.size-len(d.safe.bytes))...))
	require.NoError(t, err)
	whole(t, db)
	misses(t, e, h)
}
