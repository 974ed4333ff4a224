package p13shmimage

import (
	"math"

	"unpipc/projects/p13shmimage/taps"
)

// MaxSigma bounds the width of a blur, in pixels.
const MaxSigma = 100

// fixedRadius is the largest radius for fixed point: a term that is rounded down loses up
// to 1/128 of a sample, and there are as many as taps.
const fixedRadius = 60

// ringBytes is what the ring of rows shall fit into: the L2 cache of small processors.
const ringBytes = 256 << 10

// weights are those of a normal distribution at distances 0 (half of it), 1, …, radius.
// Their sum is 1/2, as each is for two pixels.
func weights(sigma float64) []float64 {
	radius := max(1, int(math.Ceil(3*sigma)))
	w := make([]float64, radius+1)
	sum := 0.0
	for k := range w {
		w[k] = math.Exp(-float64(k*k) / (2 * sigma * sigma))
		if k == 0 {
			w[k] /= 2
		}
		sum += 2 * w[k]
	}
	for k := range w {
		w[k] /= sum
	}
	return w
}

// fixedWeights are the same in units of 1/65536. Their sum is 32768 exactly, so that an
// even area stays as it is.
func fixedWeights(w []float64) []uint32 {
	fixed := make([]uint32, len(w))
	fixed[0] = 32768
	for k := 1; k < len(w); k++ {
		fixed[k] = uint32(math.Floor(65536*w[k] + 0.5))
		fixed[0] -= fixed[k]
	}
	return fixed
}

// Taps is the number of pixels in a row that a blur takes for one.
func Taps(sigma float64) int { return 2*len(weights(sigma)) - 1 }

// value is what a blur calculates with: numbers with taps.Fraction binary places for
// opaque pictures of 8 bits, else real ones.
type value interface{ uint16 | float32 }

// blur works on tiles: some columns, through all rows of the band. Rows of a tile that
// were blurred across wait in a ring for being summed up along the columns.
type blur[V value] struct {
	in, out rows
	radius  int
	group   int // rows of the result that are made at a time
	columns int // of a tile
	stride  int // values in a row of the ring
	row     []V // pixels of the tile, and those beside it
	ring    []V
	window  []*V                           // rows of the ring that a group is made of
	load    func(dst []V, y, from, to int) // pixels of a row
	across  func(dst []V)                  // what row becomes
	down    func(y, rows, from, to int)    // makes rows of the result of window
}

// newBlur has all but load, across and down, for values of a size.
func newBlur[V value](t *task, radius, group, size int) *blur[V] {
	b := &blur[V]{in: rows{t.in, t.source}, out: rows{t.in, t.result}, radius: radius, group: group}
	n, c := 2*radius+group, t.in.Channels
	tiles := 1 + (t.in.Width-1)/max(64, ringBytes/(n*c*size))
	b.columns = (t.in.Width + tiles - 1) / tiles
	b.stride = blocks(b.columns * c)
	b.row = make([]V, b.stride+2*radius*c)
	b.ring = make([]V, n*b.stride)
	b.window = make([]*V, n)
	return b
}

// neighbours are the places in row of those at a distance of the first pixel.
func (b *blur[V]) neighbours(k int) (before, behind *V) {
	return &b.row[(b.radius-k)*b.in.Channels], &b.row[(b.radius+k)*b.in.Channels]
}

func newFixedBlur(t *task, w []float64) *blur[uint16] {
	b := newBlur[uint16](t, len(w)-1, taps.Rows, 2)
	c := t.in.Channels
	b.load = func(dst []uint16, y, from, to int) { taps.Expand(dst, b.in.row8(y)[from*c:to*c]) }
	units, list, bias := fixedWeights(w), make([]taps.Fixed, len(w)), uint16(len(w)/2)
	for k := range list {
		list[k].A, list[k].B = b.neighbours(k)
		list[k].W = units[k]
	}
	b.across = func(dst []uint16) { taps.SumFixed(dst, list, bias) }
	made := make([]byte, b.group*b.stride)
	b.down = func(y, rows, from, to int) {
		taps.SumRows(made, b.window, units, bias)
		for i := range rows {
			copy(b.out.row8(y + i)[from*c:to*c], made[i*b.stride:])
		}
	}
	return b
}

func newFloatBlur(t *task, w []float64) *blur[float32] {
	b := newBlur[float32](t, len(w)-1, 1, 4)
	b.load = b.in.load
	along, list := make([]taps.Float, len(w)), make([]taps.Float, len(w))
	for k := range list {
		along[k].A, along[k].B = b.neighbours(k)
		along[k].W, list[k].W = float32(w[k]), float32(w[k])
	}
	b.across = func(dst []float32) { taps.SumFloat(dst, along) }
	sum := make([]float32, b.stride)
	b.down = func(y, _, from, to int) {
		for k := range list {
			list[k].A, list[k].B = b.window[b.radius-k], b.window[b.radius+k]
		}
		taps.SumFloat(sum, list)
		b.out.store(sum[:(to-from)*b.in.Channels], y, from)
	}
	return b
}

func (b *blur[V]) band(first, last int, done func(pixels int)) {
	bottom := b.in.Height - 1
	for x := 0; x < b.in.Width; x += b.columns {
		end := min(x+b.columns, b.in.Width)
		next := max(0, first-b.radius)
		for y := first; y < last; y += b.group {
			for ; next <= min(bottom, y+b.group-1+b.radius); next++ {
				b.line(next, x, end)
			}
			for i := range b.window {
				b.window[i] = &b.slot(min(max(0, y-b.radius+i), bottom))[0]
			}
			rows := min(b.group, last-y)
			b.down(y, rows, x, end)
			done(rows * (end - x))
		}
	}
}

// slot is a row's place in the ring.
func (b *blur[V]) slot(y int) []V { return b.ring[y%len(b.window)*b.stride:][:b.stride] }

// line blurs columns x to end-1 of row y across, into the ring.
func (b *blur[V]) line(y, x, end int) {
	c := b.in.Channels
	from, to := max(0, x-b.radius), min(b.in.Width, end+b.radius)
	left := (from - (x - b.radius)) * c // values that stand for pixels outside
	inside := b.row[left:][:(to-from)*c]
	b.load(inside, y, from, to)
	for i := left - 1; i >= 0; i-- {
		b.row[i] = b.row[i+c]
	}
	for i := left + len(inside); i < (end-x+2*b.radius)*c; i++ {
		b.row[i] = b.row[i-c]
	}
	b.across(b.slot(y))
}
