//go:build (!amd64 && !arm64) || race

package ordered

// Pause tells the CPU that this is a loop that waits for another one.
func Pause() {}

// Prefetch fetches the n bytes from start, and what shares their cache lines, into this
// CPU's cache while it goes on. It reads nothing: they need not be there.
func Prefetch(start *byte, n int) {}

// PrefetchWrite is [Prefetch] of what will be written: the lines are taken from the other
// CPUs.
func PrefetchWrite(start *byte, n int) {}
