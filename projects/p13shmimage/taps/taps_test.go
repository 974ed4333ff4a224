package taps

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

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
		rows := [2][]float32{make([]float32, n+1), make([]float32, n+1)}
		for _, row := range rows {
			for j := range row {
				row[j] = r.Float32() * 65535
			}
		}
		made[i] = Float{A: &rows[0][r.IntN(2)], B: &rows[1][r.IntN(2)], W: r.Float32()}
	}
	return made
}

// bothWays gives what f stores with and without assembly.
func bothWays[T any](t *testing.T, n int, f func(dst []T)) (vector, portable []T) {
	t.Helper()
	if !hasVector {
		t.Skip("this processor has no AVX2")
	}
	vector, portable = make([]T, n), make([]T, n)
	f(vector)
	setVector(false)
	defer setVector(true)
	f(portable)
	return vector, portable
}

func TestAssemblyGivesWhatGoGives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, count := range []int{1, 2, 3, 16, 61} {
		for _, n := range []int{Block, 3 * Block, 8 * Block} {
			fixed := fixedTaps(r, count, n)
			v, p := bothWays(t, n, func(dst []uint16) { SumFixed(dst, fixed, uint16(count/2)) })
			require.Equal(t, p, v, "fixed, %d taps", count)
			float := floatTaps(r, count, n)
			vf, pf := bothWays(t, n, func(dst []float32) { SumFloat(dst, float) })
			require.Equal(t, pf, vf, "float, %d taps", count)
		}
	}
	for n := range 130 {
		bytes, values := make([]byte, n), make([]uint16, n)
		for i := range n {
			bytes[i], values[i] = byte(r.IntN(256)), uint16(r.IntN(32704))
		}
		v, p := bothWays(t, n, func(dst []uint16) { Expand(dst, bytes) })
		require.Equal(t, p, v)
		vb, pb := bothWays(t, n, func(dst []byte) { Pack(dst, values) })
		require.Equal(t, pb, vb)
	}
}

func TestASampleSurvives(t *testing.T) {
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
}

func TestLengthsThatNoBlockFillsPanic(t *testing.T) {
	x := make([]uint16, 256)
	one := []Fixed{{A: &x[0], B: &x[0], W: 32768}}
	assert.Panics(t, func() { SumFixed(x[:100], one, 0) })
	assert.Panics(t, func() { SumFloat(nil, nil) })
	assert.Panics(t, func() { Pack(make([]byte, 100), x[:50]) })
	assert.Panics(t, func() { Expand(x[:50], make([]byte, 100)) })
}

func BenchmarkSumFixed(b *testing.B) {
	made := fixedTaps(rand.New(rand.NewPCG(1, 2)), 16, 4096)
	dst := make([]uint16, 4096)
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		SumFixed(dst, made, 8)
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
