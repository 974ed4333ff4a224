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
	columns int // of a tile
	stride  int // values in a row of the ring
	row     []V // pixels of the tile, and those beside it
	ring    []V
	sum     []V
	load    func(dst []V, y, from, to int) // pixels of a row
	store   func(src []V, y, from int)
	add     func(dst []V, pair func(k int) (a, b *V)) // rows at distances k
}

// newBlur has all but load, store and add, for values of a size.
func newBlur[V value](t *task, radius, size int) *blur[V] {
	b := &blur[V]{in: rows{t.in, t.source}, out: rows{t.in, t.result}, radius: radius}
	n, c := 2*radius+1, t.in.Channels
	b.columns = min(t.in.Width, max(64, ringBytes/(n*c*size)))
	b.stride = blocks(b.columns * c)
	b.row = make([]V, b.stride+2*radius*c)
	b.ring = make([]V, n*b.stride)
	b.sum = make([]V, b.stride)
	return b
}

func newFixedBlur(t *task, w []float64) *blur[uint16] {
	b := newBlur[uint16](t, len(w)-1, 2)
	c := t.in.Channels
	b.load = func(dst []uint16, y, from, to int) { taps.Expand(dst, b.in.row8(y)[from*c:to*c]) }
	b.store = func(src []uint16, y, from int) { taps.Pack(b.out.row8(y)[from*c:][:len(src)], src) }
	list := make([]taps.Fixed, len(w))
	for k, w := range fixedWeights(w) {
		list[k].W = w
	}
	b.add = func(dst []uint16, pair func(k int) (a, b *uint16)) {
		for k := range list {
			list[k].A, list[k].B = pair(k)
		}
		taps.SumFixed(dst, list, uint16(len(list)/2))
	}
	return b
}

func newFloatBlur(t *task, w []float64) *blur[float32] {
	b := newBlur[float32](t, len(w)-1, 4)
	b.load, b.store = b.in.load, b.out.store
	list := make([]taps.Float, len(w))
	for k, w := range w {
		list[k].W = float32(w)
	}
	b.add = func(dst []float32, pair func(k int) (a, b *float32)) {
		for k := range list {
			list[k].A, list[k].B = pair(k)
		}
		taps.SumFloat(dst, list)
	}
	return b
}

func (b *blur[V]) band(first, last int, done func(pixels int)) {
	for x := 0; x < b.in.Width; x += b.columns {
		end := min(x+b.columns, b.in.Width)
		next := max(0, first-b.radius)
		for y := first; y < last; y++ {
			for ; next < b.in.Height && next <= y+b.radius; next++ {
				b.across(next, x, end)
			}
			b.add(b.sum, func(k int) (above, below *V) {
				return &b.slot(max(0, y-k))[0], &b.slot(min(b.in.Height-1, y+k))[0]
			})
			b.store(b.sum[:(end-x)*b.in.Channels], y, x)
			done(end - x)
		}
	}
}

// slot is a row's place in the ring.
func (b *blur[V]) slot(y int) []V { return b.ring[y%(2*b.radius+1)*b.stride:][:b.stride] }

// across blurs columns x to end-1 of row y into the ring.
func (b *blur[V]) across(y, x, end int) {
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
	b.add(b.slot(y), func(k int) (before, behind *V) {
		return &b.row[(b.radius-k)*c], &b.row[(b.radius+k)*c]
	})
}
