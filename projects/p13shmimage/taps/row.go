package taps

import "unsafe"

func row[T any](first *T, n int) []T { return unsafe.Slice(first, n) }
