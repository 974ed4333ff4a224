package taps

import "golang.org/x/sys/cpu"

// Vector says that the assembly is used. It may be set to false.
var Vector = cpu.X86.HasAVX2

//go:noescape
func sumFixedAVX2(dst *uint16, n int, taps *Fixed, count int, bias uint16)

//go:noescape
func sumFloatAVX2(dst *float32, n int, taps *Float, count int)

//go:noescape
func expandAVX2(dst *uint16, src *byte, n int)

//go:noescape
func packAVX2(dst *byte, src *uint16, n int)
