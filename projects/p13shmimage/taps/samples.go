package taps

import "math"

// step is how many values the assembly below takes at a time; what is left over is for Go.
const step = 32

// Fraction is the number of binary places that [Expand] adds and [Pack] rounds off: as
// many as leave a sum of two in 16 bits.
const Fraction = 7

// half is what rounds values to samples.
const half = 1 << (Fraction - 1)

// Expand makes 8-bit samples values for [SumFixed]. dst has at least the length of src.
func Expand(dst []uint16, src []byte) {
	fits(len(src), len(dst))
	done := 0
	if vector != none && len(src) >= step {
		done = len(src) &^ (step - 1)
		expandAVX2(&dst[0], &src[0], done)
	}
	for i, v := range src[done:] {
		dst[done+i] = uint16(v) << Fraction
	}
}

// Pack rounds values of [SumFixed] to 8-bit samples. src has at least the length of dst.
func Pack(dst []byte, src []uint16) {
	fits(len(dst), len(src))
	done := 0
	if vector != none && len(dst) >= step {
		done = len(dst) &^ (step - 1)
		packAVX2(&dst[0], &src[0], done)
	}
	for i, v := range src[done:len(dst)] {
		dst[done+i] = uint8(min(255, (uint32(v)+half)>>Fraction))
	}
}

// Floats makes 8-bit samples values for [SumFloat]. dst has at least the length of src.
func Floats(dst []float32, src []byte) {
	fits(len(src), len(dst))
	done := 0
	if vector != none && len(src) >= step {
		done = len(src) &^ (step - 1)
		floatsAVX2(&dst[0], &src[0], done)
	}
	for i, v := range src[done:] {
		dst[done+i] = float32(v)
	}
}

// Bytes rounds values to 8-bit samples, those out of range to the nearest one. src has at
// least the length of dst.
func Bytes(dst []byte, src []float32) {
	fits(len(dst), len(src))
	done := 0
	if vector != none && len(dst) >= step {
		done = len(dst) &^ (step - 1)
		bytesAVX2(&dst[0], &src[0], done)
	}
	for i, v := range src[done:len(dst)] {
		dst[done+i] = uint8(min(max(v, 0), 255) + 0.5)
	}
}

// Hypot makes dst[i] the root of a[i]²+b[i]². dst may be a or b; all have one length.
func Hypot(dst, a, b []float32) {
	fits(len(dst), min(len(a), len(b)))
	done := 0
	if vector != none && len(dst) >= step {
		done = len(dst) &^ (step - 1)
		hypotAVX2(&dst[0], &a[0], &b[0], done)
	}
	for i := done; i < len(dst); i++ {
		// Each square is rounded, as in SumFloat.
		dst[i] = float32(math.Sqrt(float64(float32(a[i]*a[i]) + float32(b[i]*b[i]))))
	}
}

// Differences makes dst[i] a[i]-b[i] modulo 256 and returns the sum of their distances
// from 0: -1 is 255 and counts 1. All have one length.
func Differences(dst, a, b []byte) (size int) {
	fits(len(dst), min(len(a), len(b)))
	done := 0
	if vector != none && len(dst) >= step {
		done = len(dst) &^ (step - 1)
		size = differencesAVX2(&dst[0], &a[0], &b[0], done)
	}
	for i := done; i < len(dst); i++ {
		d := a[i] - b[i]
		dst[i] = d
		size += int(min(d, -d))
	}
	return size
}

// fits guards the assembly, which knows no lengths.
func fits(n, length int) {
	if n > length {
		panic("taps: a row is too short")
	}
}
