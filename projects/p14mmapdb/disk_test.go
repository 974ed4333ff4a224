package p14mmapdb

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

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
