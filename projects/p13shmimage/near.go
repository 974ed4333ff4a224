package p13shmimage

import "math"

// near is a filter that needs a pixel and its eight neighbours at most.
type near struct {
	filter  Filter
	in, out rows
	lines   [3][]float32 // the row, and those above and below it
	sum     []float32
}

func newNear(t *task) *near {
	n := &near{filter: t.filter, in: rows{t.in, t.source}, out: rows{t.filter.Result(t.in), t.result}}
	for i := range n.lines {
		n.lines[i] = make([]float32, (t.in.Width+2)*t.in.Channels)
	}
	n.sum = make([]float32, t.in.Width*t.in.Channels)
	return n
}

func (n *near) band(first, last int, done func(pixels int)) {
	for y := first; y < last; y++ {
		if y == first {
			n.line(0, y-1)
			n.line(1, y)
		} else {
			n.lines[0], n.lines[1], n.lines[2] = n.lines[1], n.lines[2], n.lines[0]
		}
		n.line(2, y+1)
		switch n.filter {
		case Grayscale:
			n.grayscale()
		case Invert:
			n.invert()
		default:
			n.around()
		}
		n.out.store(n.sum[:n.out.Width*n.out.Channels], y, 0)
		done(n.in.Width)
	}
}

// line loads a row with one more pixel on each side.
func (n *near) line(i, y int) {
	c, l := n.in.Channels, n.lines[i]
	n.in.load(l[c:], min(max(y, 0), n.in.Height-1), 0, n.in.Width)
	copy(l, l[c:2*c])
	copy(l[len(l)-c:], l[len(l)-2*c:])
}

// limit is the greatest number for a value of the row: a colour is no more than alpha. !ok:
// the value is alpha itself, which stays.
func (n *near) limit(i int) (limit float32, ok bool) {
	c := n.in.Channels
	if !n.in.HasAlpha() {
		return n.in.most(), true
	}
	return n.lines[1][c+i+c-1-i%c], i%c != c-1
}

// around is for the filters with a 3×3 matrix.
func (n *near) around() {
	c := n.in.Channels
	for i := range n.sum {
		limit, ok := n.limit(i)
		if !ok {
			n.sum[i] = limit
			continue
		}
		up, here, low := n.lines[0][i:], n.lines[1][i:], n.lines[2][i:]
		l, m, r := 0, c, 2*c // left, in the middle, right
		var s float32
		switch n.filter {
		case Sharpen:
			// A conversion forbids one instruction for both, which would round once.
			s = float32(5*here[m]) - up[m] - low[m] - here[l] - here[r]
		case Emboss:
			s = here[m] + here[r] + low[m] - up[m] - here[l] + float32(2*(low[r]-up[l]))
		case Edge:
			dx := up[r] - up[l] + float32(2*(here[r]-here[l])) + low[r] - low[l]
			dy := low[l] - up[l] + float32(2*(low[m]-up[m])) + low[r] - up[r]
			s = float32(math.Sqrt(float64(dx)*float64(dx) + float64(dy)*float64(dy)))
		}
		n.sum[i] = min(max(s, 0), limit)
	}
}

// grayscale is the luma of BT.601.
func (n *near) grayscale() {
	c, out := n.in.Channels, n.out.Channels
	here := n.lines[1][c:]
	for x := range n.in.Width {
		p := here[x*c:][:c]
		n.sum[x*out] = p[0]
		if c > 2 {
			n.sum[x*out] = float32(0.299*p[0]) + float32(0.587*p[1]) + float32(0.114*p[2])
		}
		if out == 2 {
			n.sum[x*out+1] = p[c-1]
		}
	}
}

func (n *near) invert() {
	for i, v := range n.lines[1][n.in.Channels:][:len(n.sum)] {
		limit, ok := n.limit(i)
		if n.sum[i] = v; ok {
			n.sum[i] = limit - v
		}
	}
}
