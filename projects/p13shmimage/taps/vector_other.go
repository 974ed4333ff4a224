//go:build !amd64

package taps

// available: there is no assembly for this processor.
const available = none

func sumFixedAVX2(dst *uint16, n int, taps *Fixed, count int, bias uint16)                     {}
func sumFixedAVX512(dst *uint16, n int, taps *Fixed, count int, bias uint16)                   {}
func sumRowsAVX2(dst *byte, n int, middle **uint16, weights *uint32, count int, bias uint16)   {}
func sumRowsAVX512(dst *byte, n int, middle **uint16, weights *uint32, count int, bias uint16) {}
func sumFloatAVX2(dst *float32, n int, taps *Float, count int)                                 {}
func sumFloatAVX512(dst *float32, n int, taps *Float, count int)                               {}
func expandAVX2(dst *uint16, src *byte, n int)                                                 {}
func packAVX2(dst *byte, src *uint16, n int)                                                   {}
func floatsAVX2(dst *float32, src *byte, n int)                                                {}
func bytesAVX2(dst *byte, src *float32, n int)                                                 {}
func hypotAVX2(dst, a, b *float32, n int)                                                      {}
func differencesAVX2(dst, a, b *byte, n int) (size int)                                        { return 0 }
