package p13shmimage

import "unpipc/projects/p13shmimage/taps"

// pair is two neighbours of a pixel that count the same.
type pair struct {
	ax, ay, bx, by int
	weight         float32
}

// matrices are those of the filters that have some, as pairs. Where a pair is one pixel
// it counts twice.
var matrices = map[Filter][][]pair{
	Sharpen: {{{0, 0, 0, 0, 2.5}, {0, -1, 0, 1, -1}, {-1, 0, 1, 0, -1}}},
	Emboss: {{{0, 0, 1, 0, 1}, {0, 1, 0, 1, 0.5}, {1, 1, 1, 1, 1},
		{0, -1, -1, 0, -1}, {-1, -1, -1, -1, -1}}},
	Edge: {
		{{1, -1, 1, 1, 1}, {1, 0, 1, 0, 1}, {-1, -1, -1, 1, -1}, {-1, 0, -1, 0, -1}},
		{{-1, 1, 1, 1, 1}, {0, 1, 0, 1, 1}, {-1, -1, 1, -1, -1}, {0, -1, 0, -1, -1}},
	},
}

// near is a filter of a pixel and its eight neighbours: sums by one matrix, or the root of
// the squares of two.
type near struct {
	in, out  rows
	matrices [][]pair
	lines    [3][]float32 // the row, and those above and below it, with a pixel more on each side
	sums     [2][]float32
	list     []taps.Float
}

func newNear(t *task) *near {
	n := &near{in: rows{t.in, t.source}, out: rows{t.in, t.result}, matrices: matrices[t.filter]}
	values := blocks(t.in.Width * t.in.Channels)
	for i := range n.lines {
		n.lines[i] = make([]float32, values+2*t.in.Channels)
	}
	for i := range n.matrices {
		n.sums[i] = make([]float32, values)
	}
	return n
}

func (n *near) band(first, last int, done func(pixels int)) {
	c, values := n.in.Channels, n.in.Width*n.in.Channels
	n.line(0, first-1)
	n.line(1, first)
	for y := first; y < last; y++ {
		n.line(2, y+1)
		for i := range n.matrices {
			n.sum(i)
		}
		out := n.sums[0][:values]
		if len(n.matrices) == 2 {
			taps.Hypot(out, out, n.sums[1][:values])
		}
		if n.in.HasAlpha() {
			for i := c - 1; i < values; i += c {
				out[i] = n.lines[1][c+i] // stays
			}
		}
		n.out.store(out, y, 0)
		done(n.in.Width)
		n.lines[0], n.lines[1], n.lines[2] = n.lines[1], n.lines[2], n.lines[0]
	}
}

// line loads a row.
func (n *near) line(i, y int) {
	c, end := n.in.Channels, (n.in.Width+1)*n.in.Channels
	l := n.lines[i]
	n.in.load(l[c:end], min(max(y, 0), n.in.Height-1), 0, n.in.Width)
	copy(l, l[c:2*c])
	copy(l[end:], l[end-c:end])
}

// sum is that of a matrix, for all values of the row.
func (n *near) sum(matrix int) {
	place := func(x, y int) *float32 { return &n.lines[1+y][(1+x)*n.in.Channels] }
	n.list = n.list[:0]
	for _, p := range n.matrices[matrix] {
		n.list = append(n.list, taps.Float{A: place(p.ax, p.ay), B: place(p.bx, p.by), W: p.weight})
	}
	taps.SumFloat(n.sums[matrix], n.list)
}

// blocks is the next length that taps can sum up.
func blocks(values int) int { return (values + taps.Block - 1) / taps.Block * taps.Block }
