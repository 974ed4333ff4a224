//go:build !amd64

package taps

// Vector says that the assembly is used, of which there is none for this processor.
const Vector = false

func sumFixedAVX2(dst *uint16, n int, taps *Fixed, count int, bias uint16) {}
func sumFloatAVX2(dst *float32, n int, taps *Float, count int)             {}
func expandAVX2(dst *uint16, src *byte, n int)                             {}
func packAVX2(dst *byte, src *uint16, n int)                               {}
