// Package taps are the inner loops of filters: sums of rows, each with a weight, and the
// ways of samples to and from the values that are summed up. Each is written in Go and, for
// processors with AVX2, in assembly; sums also for those with AVX-512. All give the same
// values: in fixed point anyway, in floating point because they add in the same order and
// round every product.
package taps

import "unsafe"

// Block is what lengths of destinations of sums are multiples of.
const Block = 256

// unit is what the loops run on.
type unit int

const (
	none   unit = iota // what Go is compiled to
	avx2               // vectors of 32 bytes
	avx512             // vectors of 64 bytes, for sums
)

// vector is the unit in use.
var vector = available

// Portable makes this process use the loops in Go from now on. It is not to be called
// while another goroutine uses the package.
func Portable() { vector = none }

// Fixed is two rows that have the same weight, as the two neighbours at one distance have.
// Where the rows are one, the sample itself, it counts twice and has half its weight.
type Fixed struct {
	A, B *uint16
	W    uint32 // in units of 1/65536, at most 32768
}

// Float is the same with real numbers, any weight among them.
type Float struct {
	A, B *float32
	W    float32
}

// SumFixed makes dst[i] the sum of (A[i]+B[i])*W>>16 over all taps, plus bias. No A[i] is
// over 32767, so that a sum of two fits 16 bits; nor may the result be over 65535. Each
// term is rounded down, for which bias makes up: half the number of taps. len(dst) is a
// multiple of [Block], and rows have as many values.
func SumFixed(dst []uint16, taps []Fixed, bias uint16) {
	check(len(dst))
	switch vector {
	case avx512:
		sumFixedAVX512(&dst[0], len(dst), &taps[0], len(taps), bias)
	case avx2:
		sumFixedAVX2(&dst[0], len(dst), &taps[0], len(taps), bias)
	default:
		sumFixed(dst, taps, bias)
	}
}

// Without the race detector, which would make the loop many times slower: the rows are
// their caller's own. In sumRows' loop the compiler would have too few registers for this one.
//
//go:norace
//go:noinline
func sumFixed(dst []uint16, taps []Fixed, bias uint16) {
	for i := range dst {
		dst[i] = bias
	}
	for _, t := range taps {
		a, b, w := unsafe.Slice(t.A, len(dst)), unsafe.Slice(t.B, len(dst)), t.W
		for i := range dst {
			dst[i] += uint16((uint32(a[i]) + uint32(b[i])) * w >> 16)
		}
	}
}

// Rows is how many rows [SumRows] makes at a time.
const Rows = 4

// SumRows makes Rows rows of samples, one behind the other in dst, of a window of rows. Row
// i of dst is what [SumFixed] and [Pack] make of the window's row i+len(weights)-1, for the
// first weight, and of the rows k above and k below that, for weight k: the window has
// 2*(len(weights)-1)+Rows rows. Made together, rows have most of their taps in common, and
// each value is fetched once for all of them. A sum may be half a sample less than for
// SumFixed; the length of each row is as for that.
func SumRows(dst []byte, window []*uint16, weights []uint32, bias uint16) {
	n, middle := len(dst)/Rows, len(weights)-1
	if check(n); len(dst) != Rows*n || len(window) != 2*middle+Rows {
		panic("taps: the window has another length")
	}
	switch vector {
	case avx512:
		sumRowsAVX512(&dst[0], n, &window[middle], &weights[0], len(weights), bias+half)
	case avx2:
		sumRowsAVX2(&dst[0], n, &window[middle], &weights[0], len(weights), bias+half)
	default:
		sumRows(dst, window, weights, bias)
	}
}

func sumRows(dst []byte, window []*uint16, weights []uint32, bias uint16) {
	sum, taps := make([]uint16, len(dst)/Rows), make([]Fixed, len(weights))
	for middle := len(weights) - 1; len(dst) > 0; middle++ {
		for k, w := range weights {
			taps[k] = Fixed{A: window[middle-k], B: window[middle+k], W: w}
		}
		sumFixed(sum, taps, bias)
		Pack(dst[:len(sum)], sum)
		dst = dst[len(sum):]
	}
}

// SumFloat makes dst[i] the sum of (A[i]+B[i])*W over all taps, from the first to the
// last. The length is as for [SumFixed].
func SumFloat(dst []float32, taps []Float) {
	check(len(dst))
	switch vector {
	case avx512:
		sumFloatAVX512(&dst[0], len(dst), &taps[0], len(taps))
	case avx2:
		sumFloatAVX2(&dst[0], len(dst), &taps[0], len(taps))
	default:
		sumFloat(dst, taps)
	}
}

// Without the race detector, as sumFixed.
//
//go:norace
func sumFloat(dst []float32, taps []Float) {
	clear(dst)
	for _, t := range taps {
		a, b, w := unsafe.Slice(t.A, len(dst)), unsafe.Slice(t.B, len(dst)), t.W
		for i := range dst {
			// The conversion forbids one instruction for both, which would round once.
			dst[i] += float32((a[i] + b[i]) * w)
		}
	}
}

func check(n int) {
	if n == 0 || n%Block != 0 {
		panic("taps: the length is no multiple of Block")
	}
}
