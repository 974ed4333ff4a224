package p13shmimage

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// samples are all samples of a picture as parts of the greatest, colours multiplied by alpha.
func samples(p Picture, pix []byte) (s [][]float64) {
	most := float64(int(1)<<p.Depth - 1)
	for i := range p.Width * p.Height {
		pixel := make([]float64, p.Channels)
		for c := range pixel {
			if p.Depth == 8 {
				pixel[c] = float64(pix[i*p.Channels+c]) / most
			} else {
				pixel[c] = float64(binary.NativeEndian.Uint16(pix[2*(i*p.Channels+c):])) / most
			}
		}
		if p.HasAlpha() {
			for c := range p.Channels - 1 {
				pixel[c] *= pixel[p.Channels-1]
			}
		}
		s = append(s, pixel)
	}
	return s
}

// naive is the filter as its formula has it, in two dimensions and real numbers.
func naive(p Picture, f Filter, sigma float64, pix []byte) [][]float64 {
	in := samples(p, pix)
	at := func(x, y int) []float64 {
		return in[min(max(y, 0), p.Height-1)*p.Width+min(max(x, 0), p.Width-1)]
	}
	var out [][]float64
	for y := range p.Height {
		for x := range p.Width {
			out = append(out, formula(f, sigma, p, func(dx, dy int) []float64 { return at(x+dx, y+dy) }))
		}
	}
	return out
}

func formula(f Filter, sigma float64, p Picture, at func(dx, dy int) []float64) []float64 {
	here := at(0, 0)
	out := make([]float64, len(here))
	limit := 1.0
	if p.HasAlpha() {
		limit = here[p.Channels-1]
	}
	matrix := func(c int, m [9]float64) (s float64) {
		for i, w := range m {
			s += w * at(i%3-1, i/3-1)[c]
		}
		return s
	}
	for c := range out {
		switch f {
		case Blur:
			radius, sum := max(1, int(math.Ceil(3*sigma))), 0.0
			for dy := -radius; dy <= radius; dy++ {
				for dx := -radius; dx <= radius; dx++ {
					w := math.Exp(-float64(dx*dx+dy*dy) / (2 * sigma * sigma))
					out[c] += w * at(dx, dy)[c]
					sum += w
				}
			}
			out[c] /= sum
		case Sharpen:
			out[c] = matrix(c, [9]float64{0, -1, 0, -1, 5, -1, 0, -1, 0})
		case Emboss:
			out[c] = matrix(c, [9]float64{-2, -1, 0, -1, 1, 1, 0, 1, 2})
		case Edge:
			out[c] = math.Hypot(matrix(c, [9]float64{-1, 0, 1, -2, 0, 2, -1, 0, 1}), matrix(c, [9]float64{-1, -2, -1, 0, 0, 0, 1, 2, 1}))
		case Invert:
			out[c] = limit - here[c]
		case Grayscale:
			out[c] = here[0]
			if len(here) > 2 {
				out[c] = 0.299*here[0] + 0.587*here[1] + 0.114*here[2]
			}
		}
		if f != Blur {
			out[c] = min(max(out[c], 0), limit)
		}
	}
	if p.HasAlpha() && f != Blur {
		out[p.Channels-1] = here[p.Channels-1]
	}
	if f == Grayscale && len(out) > 2 {
		out = append(out[:1], out[3:]...)
	}
	return out
}

// straight undoes the multiplication of colours by alpha.
func straight(pixel []float64) {
	if last := len(pixel) - 1; last%2 == 1 {
		for c := range pixel[:last] {
			pixel[c] /= max(pixel[last], 1e-9)
		}
	}
}

func TestResultsAreWithinOneUnitOfTheFormula(t *testing.T) {
	for _, p := range forms {
		for f := range Filter(len(filterNames)) {
			sigmas := []float64{0.3, 1, 2.5}
			if f != Blur {
				sigmas = sigmas[:1]
			}
			if p.Width > 1000 && f == Blur {
				sigmas = sigmas[2:]
			}
			for _, sigma := range sigmas {
				t.Run(fmt.Sprintf("%v %v %g", p, f, sigma), func(t *testing.T) {
					pix := noise(p, 1)
					got := samples(f.Result(p), filtered(p, f, sigma, pix, 1))
					want := naive(p, f, sigma, pix)
					require.Len(t, got, len(want))
					unit := 1.0001 / float64(int(1)<<p.Depth-1)
					for i := range want {
						require.Len(t, got[i], len(want[i]))
						straight(got[i])
						straight(want[i])
						for c := range want[i] {
							if math.Abs(got[i][c]-want[i][c]) > unit && got[i][len(got[i])-1] > 0 {
								t.Fatalf("pixel %d, channel %d: %v, not %v", i, c, got[i][c]/unit, want[i][c]/unit)
							}
						}
					}
				})
			}
		}
	}
}

// A wide blur, too slow for the formula, of an area that has one value.
func TestAnEvenAreaStaysAsItIs(t *testing.T) {
	for _, sigma := range []float64{0.05, 0.5, 1, 5, 20, 20.1, 100} {
		for _, value := range []byte{0, 1, 2, 7, 100, 128, 254, 255} {
			for _, p := range []Picture{{70, 10, 3, 8}, {70, 10, 1, 16}, {70, 10, 4, 8}} {
				pix := make([]byte, p.Bytes())
				for i := range pix {
					pix[i] = value
				}
				if p.HasAlpha() && value == 0 {
					continue // has no colour
				}
				require.Equal(t, pix, filtered(p, Blur, sigma, pix, 1), "sigma %v, value %v, %v", sigma, value, p)
			}
		}
	}
}

func TestWeightsHaveTheirSumAndShape(t *testing.T) {
	for tenths := 1; tenths <= MaxSigma*10; tenths++ {
		w := fixedWeights(weights(float64(tenths) / 10))
		sum := uint32(0)
		for k, v := range w {
			require.LessOrEqual(t, v, uint32(32768))
			sum += v
			if k > 1 {
				require.LessOrEqual(t, v, w[k-1])
			}
		}
		require.Equal(t, uint32(32768), sum)
		if tenths >= 20 {
			assert.InEpsilon(t, w[1], 2*w[0], 0.15, "sigma %v: no step in the middle", float64(tenths)/10)
		}
	}
	assert.Equal(t, 31, Taps(5))
	assert.Equal(t, 3, Taps(0.1))
}

func TestAnyNumberOfBandsGivesTheSameBytes(t *testing.T) {
	for _, p := range forms {
		for f := range Filter(len(filterNames)) {
			pix := noise(p, 2)
			want := filtered(p, f, 3, pix, 1)
			for _, n := range []int{2, 3, 7, p.Height, p.Height + 5} {
				require.Equal(t, want, filtered(p, f, 3, pix, n), "%v %v, %d bands", p, f, n)
			}
		}
	}
}

func TestTilesLeaveNoSeams(t *testing.T) {
	p := Picture{3000, 9, 3, 8}
	pix := noise(p, 3)
	whole := newFixedBlur(&task{filter: Blur, sigma: 5, in: p}, weights(5))
	require.Less(t, whole.columns, p.Width, "or there are no tiles")
	got := filtered(p, Blur, 5, pix, 1)
	// The same columns in a picture that is one tile.
	const from, width = 1300, 300
	part := Picture{width, p.Height, 3, 8}
	cut := func(pix []byte) (out []byte) {
		for y := range p.Height {
			out = append(out, pix[y*p.RowBytes()+3*from:][:part.RowBytes()]...)
		}
		return out
	}
	inner := func(pix []byte) (out []byte) { // without what the edges of the part have changed
		for y := range p.Height {
			out = append(out, pix[y*part.RowBytes()+3*20:][:part.RowBytes()-3*40]...)
		}
		return out
	}
	assert.Equal(t, inner(filtered(part, Blur, 5, cut(pix), 1)), inner(cut(got)))
}

func TestInvisiblePixelsColourNothing(t *testing.T) {
	p := Picture{21, 21, 4, 8}
	pix := make([]byte, p.Bytes())
	for i := range p.Width * p.Height {
		copy(pix[4*i:], []byte{255, 0, 0, 0}) // red that cannot be seen
	}
	copy(pix[4*(10*21+10):], []byte{0, 255, 0, 255})
	out := filtered(p, Blur, 2, pix, 1)
	for i := range p.Width * p.Height {
		assert.Zero(t, out[4*i], "no red")
		if out[4*i+3] > 0 {
			assert.Equal(t, byte(255), out[4*i+1], "all the green there is")
		}
	}
	assert.Positive(t, out[4*(10*21+12)+3])
}

func TestInvertTwiceIsNothing(t *testing.T) {
	for _, p := range forms {
		if p.HasAlpha() {
			continue // colours of low alpha are rounded
		}
		pix := noise(p, 4)
		assert.Equal(t, pix, filtered(p, Invert, 1, filtered(p, Invert, 1, pix, 1), 1))
	}
}

func BenchmarkBlur(b *testing.B) {
	p := Picture{2048, 1024, 3, 8}
	t := task{filter: Blur, sigma: 5, in: p, source: noise(p, 5), result: make([]byte, p.Bytes())}
	b.SetBytes(int64(p.Bytes()))
	for b.Loop() {
		t.band(0, p.Height, func(int) {})
	}
}
