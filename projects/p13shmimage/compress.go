package p13shmimage

import (
	"compress/flate"
	"errors"
	"hash/adler32"

	"unpipc/projects/p13shmimage/taps"
)

// compress makes strips first to last-1 of the result the bytes of a PNG file's data, in
// place of the source.
func (s *shared) compress(first, last int) error {
	lines := newScanlines(rows{Picture: s.filter.Result(s.in), bytes: s.result})
	to := &room{}
	var writers []*flate.Writer
	for _, level := range []int{flate.HuffmanOnly, flate.BestSpeed} {
		w, err := flate.NewWriter(to, level)
		if err != nil {
			return err
		}
		writers = append(writers, w)
	}
	for i := first; i < last; i++ {
		*to = room{free: s.room(i)}
		begin, end := i*s.stripRows, min((i+1)*s.stripRows, lines.Height)
		w, err := best(writers, to, lines.some((begin+end)/2, end))
		if err != nil {
			return err
		}
		sum := adler32.New()
		for y := begin; y < end; y++ {
			line := lines.filtered(y)
			sum.Write(line)
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		// Flush ends at a byte, so that the next strip can follow; the last is the end.
		finish := w.Flush
		if i == s.strips-1 {
			finish = w.Close
		}
		if err := finish(); err != nil {
			return err
		}
		s.table[i] = strip{uint32(to.used), sum.Sum32()}
	}
	return nil
}

// best finds the writer that makes the least of a part of a strip, ready for all of it.
// Differences in a photograph seldom repeat: looking for that takes time and makes the
// file larger than their frequencies alone do. In a drawing it is the other way round.
func best(writers []*flate.Writer, to *room, part []byte) (*flate.Writer, error) {
	var found *flate.Writer
	least := len(to.free) + 1
	for _, w := range writers {
		to.used = 0
		w.Reset(to)
		_, err := w.Write(part)
		if err = errors.Join(err, w.Flush()); err != nil {
			return nil, err
		}
		if to.used < least {
			found, least = w, to.used
		}
	}
	to.used = 0
	found.Reset(to)
	return found, nil
}

// room is where a strip goes.
func (s *shared) room(i int) []byte { return s.memory[s.sourceAt+i*s.stripRoom:][:s.stripRoom] }

// room is a Writer to memory of a fixed size.
type room struct {
	free []byte
	used int
}

func (r *room) Write(p []byte) (int, error) {
	if len(p) > len(r.free)-r.used {
		return 0, errors.New("a strip does not fit its room")
	}
	r.used += copy(r.free[r.used:], p)
	return len(p), nil
}

// scanlines turns rows into those of a PNG file: big-endian, each sample as its difference
// to a neighbour, behind a byte that says to which.
type scanlines struct {
	rows
	left, up []byte
	swapped  [2][]byte // rows of 16 bits in the file's order
	held     [2]int    // which ones
}

// The differences that are tried. PNG has two more.
const (
	leftDifference = 1
	upDifference   = 2
)

func newScanlines(r rows) *scanlines {
	n := r.RowBytes()
	l := &scanlines{rows: r, left: make([]byte, n+1), up: make([]byte, n+1), held: [2]int{-1, -1}}
	l.left[0], l.up[0] = leftDifference, upDifference
	if r.Depth == 16 {
		l.swapped = [2][]byte{make([]byte, n), make([]byte, n)}
	}
	return l
}

// filtered is valid until the next call.
func (l *scanlines) filtered(y int) []byte {
	own, step := l.bigEndian(y), l.Channels*l.Depth/8
	left, up := l.left[1:], l.up[1:]
	copy(left, own[:step])
	size := taps.Differences(left[step:], own[step:], own[:len(own)-step])
	if y > 0 && taps.Differences(up, own, l.bigEndian(y-1)) < size {
		return l.up
	}
	return l.left
}

// some is a few lines from y on, as many as tell how the rest compresses.
func (l *scanlines) some(y, end int) (text []byte) {
	const enough = 16 << 10
	for ; y < end && len(text) < enough; y++ {
		text = append(text, l.filtered(y)...)
	}
	return text
}

func (l *scanlines) bigEndian(y int) []byte {
	if l.Depth == 8 {
		return l.row8(y)
	}
	row := l.swapped[y%2]
	if l.held[y%2] != y {
		l.held[y%2] = y
		for i, v := range l.row16(y) {
			row[2*i], row[2*i+1] = byte(v>>8), byte(v)
		}
	}
	return row
}
