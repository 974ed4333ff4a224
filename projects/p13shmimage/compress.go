package p13shmimage

import (
	"bytes"
	"compress/flate"
	"errors"
	"hash/adler32"
)

// compress makes strips first to last-1 of the result the bytes of a PNG file's data, in
// place of the source.
func (s *shared) compress(first, last int) error {
	out := s.filter.Result(s.in)
	lines := scanlines{rows: rows{Picture: out, bytes: s.result}}
	to := &room{}
	writers := map[int]*flate.Writer{}
	for _, level := range []int{flate.HuffmanOnly, flate.BestSpeed} {
		w, err := flate.NewWriter(to, level)
		if err != nil {
			return err
		}
		writers[level] = w
	}
	for i := first; i < last; i++ {
		*to = room{free: s.room(i)}
		w := writers[level(lines.filtered((i*s.stripRows+min((i+1)*s.stripRows, out.Height))/2))]
		w.Reset(to)
		sum := adler32.New()
		for y := i * s.stripRows; y < min((i+1)*s.stripRows, out.Height); y++ {
			line := lines.filtered(y)
			sum.Write(line)
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		// Flush ends at a byte, so that the next strip can follow; the last is the end.
		end := w.Flush
		if i == s.strips-1 {
			end = w.Close
		}
		if err := end(); err != nil {
			return err
		}
		s.table[i] = strip{uint32(to.used), sum.Sum32()}
	}
	return nil
}

// level is how to compress a strip, of which this is a line. Differences in a photograph
// seldom repeat: looking for that takes time and makes the file larger than their
// frequencies alone do. Where most differences are 0 it is the other way round.
func level(line []byte) int {
	if bytes.Count(line, []byte{0}) > len(line)/2 {
		return flate.BestSpeed
	}
	return flate.HuffmanOnly
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
	last       int // row that above is, if any
	above, own []byte
	left, up   []byte
}

// The differences that are tried. PNG has two more.
const (
	leftDifference = 1
	upDifference   = 2
)

func (l *scanlines) filtered(y int) []byte {
	n, step := l.RowBytes(), l.Channels*l.Depth/8
	if l.own == nil {
		l.above, l.own = make([]byte, n), make([]byte, n)
		l.left, l.up = make([]byte, n+1), make([]byte, n+1)
		l.left[0], l.up[0] = leftDifference, upDifference
		l.last = -1
	}
	l.above, l.own = l.own, l.above
	if y > 0 && l.last != y-1 {
		l.bigEndian(l.above, y-1)
	}
	l.bigEndian(l.own, y)
	l.last = y
	left, own := l.left[1:][:n], l.own[:n]
	copy(left, own[:step])
	costLeft, costUp := 0, 0
	for i := step; i < n; i++ {
		d := own[i] - own[i-step]
		left[i] = d
		costLeft += size(d)
	}
	if y == 0 {
		return l.left
	}
	up, above := l.up[1:][:n], l.above[:n]
	for i, v := range own {
		d := v - above[i]
		up[i] = d
		costUp += size(d)
	}
	if costUp < costLeft {
		return l.up
	}
	return l.left
}

// size is the distance of a difference from 0.
func size(d byte) int {
	m := int(int8(d)) >> 31
	return (int(int8(d)) ^ m) - m
}

func (l *scanlines) bigEndian(dst []byte, y int) {
	if l.Depth == 8 {
		copy(dst, l.row8(y))
		return
	}
	for i, v := range l.row16(y) {
		dst[2*i], dst[2*i+1] = byte(v>>8), byte(v)
	}
}
