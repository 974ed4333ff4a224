package taps

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// everyWay runs a test without the assembly and with that for each unit that the processor
// has: each way on its own must give what the definition says.
func everyWay(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	names := []string{none: "in Go", avx2: "AVX2", avx512: "AVX-512"}
	for vector = none; vector <= available; vector++ {
		t.Run(names[vector], test)
	}
	vector = available
}

// fixedTaps are taps over rows of n values; their weights' sum is 32768.
func fixedTaps(r *rand.Rand, count, n int) []Fixed {
	made := make([]Fixed, count)
	left := uint32(32768)
	for i := range made {
		rows := [2][]uint16{make([]uint16, n+1), make([]uint16, n+1)}
		for _, row := range rows {
			for j := range row {
				row[j] = 32640
				if r.IntN(4) != 0 {
					row[j] = uint16(r.IntN(32641))
				}
			}
		}
		w := left
		if i < count-1 {
			w = uint32(r.IntN(int(left) + 1))
		}
		left -= w
		made[i] = Fixed{A: &rows[0][r.IntN(2)], B: &rows[1][r.IntN(2)], W: w} // at odd addresses too
	}
	return made
}

// floatTaps are the same with any real numbers.
func floatTaps(r *rand.Rand, count, n int) []Float {
	made := make([]Float, count)
	for i := range made {
		a, b := reals(r, n+1), reals(r, n+1)
		made[i] = Float{A: &a[r.IntN(2)], B: &b[r.IntN(2)], W: r.Float32()*4 - 2}
	}
	return made
}

func reals(r *rand.Rand, n int) []float32 {
	row := make([]float32, n)
	for i := range row {
		row[i] = r.Float32() * 65535
	}
	return row
}

func TestSumsAreThoseOfTheirDefinition(t *testing.T) {
	everyWay(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, count := range []int{1, 2, 3, 16, 61} {
			for _, n := range []int{Block, 3 * Block, 8 * Block} {
				fixed, float := fixedTaps(r, count, n), floatTaps(r, count, n)
				wantFixed, wantFloat := make([]uint16, n), make([]float32, n)
				for i := range n {
					sum := uint64(count / 2)
					for _, tap := range fixed {
						sum += (uint64(at(tap.A, i)) + uint64(at(tap.B, i))) * uint64(tap.W) >> 16
					}
					wantFixed[i] = uint16(sum)
					for _, tap := range float {
						product := (at(tap.A, i) + at(tap.B, i)) * tap.W
						wantFloat[i] = float32(float64(wantFloat[i]) + float64(product)) // exact before it is rounded
					}
				}
				gotFixed, gotFloat := make([]uint16, n), make([]float32, n)
				SumFixed(gotFixed, fixed, uint16(count/2))
				SumFloat(gotFloat, float)
				require.Equal(t, wantFixed, gotFixed, "fixed, %d taps", count)
				require.Equal(t, wantFloat, gotFloat, "float, %d taps", count)
			}
		}
	})
}

func TestRowsTogetherAreAsEachForItself(t *testing.T) {
	everyWay(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 5))
		for _, count := range []int{1, 2, 3, 4, 5, 16, 61} {
			for _, n := range []int{Block, 3 * Block} {
				var weights []uint32
				var window []*uint16
				for _, tap := range fixedTaps(r, 2*count+1, n)[:count+1] {
					weights = append(weights, tap.W)
					window = append(window, tap.A, tap.B)
				}
				weights = weights[:count]
				require.Len(t, window, 2*(count-1)+Rows)
				got, want := make([]byte, Rows*n), make([]byte, Rows*n)
				for i := range Rows {
					taps, sum := make([]Fixed, count), make([]uint16, n)
					for k := range taps {
						taps[k] = Fixed{A: window[count-1+i-k], B: window[count-1+i+k], W: weights[k]}
					}
					sumFixed(sum, taps, uint16(count/2))
					Pack(want[i*n:][:n], sum)
				}
				SumRows(got, window, weights, uint16(count/2))
				require.Equal(t, want, got, "%d weights", count)
			}
		}
	})
}

func TestSamplesBecomeValuesAndBack(t *testing.T) {
	everyWay(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 3))
		for n := range 130 {
			samples, fixed, float := make([]byte, n), make([]uint16, n), make([]float32, n)
			for i := range n {
				samples[i] = byte(r.IntN(256))
				fixed[i] = uint16(r.IntN(32704))
				float[i] = []float32{float32(r.IntN(512)) / 2, r.Float32()*255 + 0.49, -r.Float32() * 1e6, r.Float32() * 1e6}[r.IntN(4)]
			}
			expanded, floats := make([]uint16, n), make([]float32, n)
			Expand(expanded, samples)
			Floats(floats, samples)
			packed, rounded := make([]byte, n), make([]byte, n)
			Pack(packed, fixed)
			Bytes(rounded, float)
			for i := range n {
				require.Equal(t, uint16(samples[i])*128, expanded[i])
				require.Equal(t, float32(samples[i]), floats[i])
				require.Equal(t, min(255, math.Floor(float64(fixed[i])/128+0.5)), float64(packed[i]))
				require.InDelta(t, min(max(float64(float[i]), 0), 255), float64(rounded[i]), 0.50002, "%v", float[i])
				if float[i] == float32(int(float[i])) && float[i] >= 0 && float[i] <= 255 {
					require.Equal(t, float[i], float32(rounded[i]))
				}
			}
		}
	})
}

func TestRootsAndDifferences(t *testing.T) {
	everyWay(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 4))
		for n := range 130 {
			x, y, root := reals(r, n), reals(r, n), make([]float32, n)
			a, b, d := make([]byte, n), make([]byte, n), make([]byte, n)
			for i := range n {
				a[i], b[i] = byte(r.IntN(256)), byte(r.IntN(256))
			}
			Hypot(root, x, y)
			size, want := Differences(d, a, b), 0
			for i := range n {
				xx, yy := x[i]*x[i], y[i]*y[i]
				require.Equal(t, float32(math.Sqrt(float64(xx+yy))), root[i])
				require.Equal(t, byte(int(a[i])-int(b[i])), d[i])
				want += int(math.Abs(float64(int8(d[i]))))
			}
			require.Equal(t, want, size)
			Hypot(x, x, y)
			require.Equal(t, root, x, "in place")
		}
	})
}

// Chance would take long to meet a difference of 128.
func TestTheGreatestDifferenceCounts128(t *testing.T) {
	everyWay(t, func(t *testing.T) {
		a, b, d := make([]byte, 64), make([]byte, 64), make([]byte, 64)
		for i := range a {
			a[i] = 128
		}
		assert.Equal(t, 64*128, Differences(d, a, b))
	})
}

func TestASampleSurvives(t *testing.T) {
	everyWay(t, func(t *testing.T) {
		src := make([]byte, 256)
		for i := range src {
			src[i] = byte(i)
		}
		row, dst := make([]uint16, 256), make([]byte, 256)
		Expand(row, src)
		out := make([]uint16, 256)
		SumFixed(out, []Fixed{{A: &row[0], B: &row[0], W: 32768}}, 0)
		Pack(dst, out)
		assert.Equal(t, src, dst)
	})
}

func TestLengthsThatDoNotFitPanic(t *testing.T) {
	everyWay(t, func(t *testing.T) {
		x, f := make([]uint16, 256), make([]float32, 256)
		one := []Fixed{{A: &x[0], B: &x[0], W: 32768}}
		for name, call := range map[string]func(){
			"no block":         func() { SumFixed(x[:100], one, 0) },
			"nothing":          func() { SumFloat(nil, nil) },
			"no rows":          func() { SumRows(make([]byte, 256), make([]*uint16, Rows), make([]uint32, 1), 0) },
			"uneven rows":      func() { SumRows(make([]byte, Rows*256+1), make([]*uint16, Rows), make([]uint32, 1), 0) },
			"another window":   func() { SumRows(make([]byte, Rows*256), make([]*uint16, Rows), make([]uint32, 2), 0) },
			"Pack of less":     func() { Pack(make([]byte, 100), x[:50]) },
			"Expand into less": func() { Expand(x[:50], make([]byte, 100)) },
			"Floats into less": func() { Floats(f[:50], make([]byte, 100)) },
			"Bytes of less":    func() { Bytes(make([]byte, 100), f[:50]) },
			"Hypot of less":    func() { Hypot(f, f, f[:50]) },
			"Differences":      func() { Differences(make([]byte, 100), make([]byte, 50), make([]byte, 100)) },
		} {
			assert.Panics(t, call, name)
		}
	})
}

func BenchmarkSumFixed(b *testing.B) {
	made := fixedTaps(rand.New(rand.NewPCG(1, 2)), 16, 4096)
	dst := make([]uint16, 4096)
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		SumFixed(dst, made, 8)
	}
}

func BenchmarkSumRows(b *testing.B) {
	const n = 4096
	values, window := make([]uint16, 34*n), make([]*uint16, 34)
	for i := range window {
		window[i] = &values[i*n]
	}
	dst := make([]byte, Rows*n)
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		SumRows(dst, window, make([]uint32, 16), 8)
	}
}

func BenchmarkSumFloat(b *testing.B) {
	made := floatTaps(rand.New(rand.NewPCG(1, 2)), 16, 4096)
	dst := make([]float32, 4096)
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		SumFloat(dst, made)
	}
}

// at is the value at an index of a row that is known by its first one.
func at[T any](first *T, i int) T { return unsafe.Slice(first, i+1)[i] }
