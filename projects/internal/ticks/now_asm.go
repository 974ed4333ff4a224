//go:build amd64 || arm64

package ticks

// Now is the counter. It is read when all instructions before it are complete, except
// that stores may not have reached memory.
func Now() uint64
