package taps

import "golang.org/x/sys/cpu"

// available is the widest unit that this processor has.
var available = func() unit {
	switch {
	case cpu.X86.HasAVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW:
		return avx512
	case cpu.X86.HasAVX2:
		return avx2
	}
	return none
}()

//go:noescape
func sumFixedAVX2(dst *uint16, n int, taps *Fixed, count int, bias uint16)

//go:noescape
func sumFixedAVX512(dst *uint16, n int, taps *Fixed, count int, bias uint16)

//go:noescape
func sumRowsAVX2(dst *byte, n int, middle **uint16, weights *uint32, count int, bias uint16)

//go:noescape
func sumRowsAVX512(dst *byte, n int, middle **uint16, weights *uint32, count int, bias uint16)

//go:noescape
func sumFloatAVX2(dst *float32, n int, taps *Float, count int)

//go:noescape
func sumFloatAVX512(dst *float32, n int, taps *Float, count int)

//go:noescape
func expandAVX2(dst *uint16, src *byte, n int)

//go:noescape
func packAVX2(dst *byte, src *uint16, n int)

//go:noescape
func floatsAVX2(dst *float32, src *byte, n int)

//go:noescape
func bytesAVX2(dst *byte, src *float32, n int)

//go:noescape
func hypotAVX2(dst, a, b *float32, n int)

//go:noescape
func differencesAVX2(dst, a, b *byte, n int) (size int)
