// Package taps are the inner loops of filters: sums of rows, each with a weight, and the
// ways of samples to and from the values that are summed up. Each is written twice, in Go
// and for processors with AVX2 in assembly, and both give the same values: in fixed point
// anyway, in floating point because they add in the same order and round every product.
package taps

import "unsafe"

// Block is what lengths of destinations of sums are multiples of.
const Block = 128

// vector says that the assembly is used.
var vector = available

// Portable makes this process use the loops in Go from now on. It is not to be called
// while another goroutine uses the package.
func Portable() { vector = false }

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
	check(dst)
	if vector {
		sumFixedAVX2(&dst[0], len(dst), &taps[0], len(taps), bias)
		return
	}
	sumFixed(dst, taps, bias)
}

// Without the race detector, which would make the loop many times slower: the rows are
// their caller's own.
//
//go:norace
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

// SumFloat makes dst[i] the sum of (A[i]+B[i])*W over all taps, from the first to the
// last. The length is as for [SumFixed].
func SumFloat(dst []float32, taps []Float) {
	check(dst)
	if vector {
		sumFloatAVX2(&dst[0], len(dst), &taps[0], len(taps))
		return
	}
	sumFloat(dst, taps)
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

func check[T any](dst []T) {
	if len(dst) == 0 || len(dst)%Block != 0 {
		panic("taps: the length is no multiple of Block")
	}
}
