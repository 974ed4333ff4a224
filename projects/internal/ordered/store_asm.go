//go:build (amd64 || arm64) && !race

package ordered

// Store writes value with release order: whoever reads it by atomic.Load also sees all
// that this goroutine wrote before.
//
//go:noescape
func Store(word *uint64, value uint64)

// Store32 is [Store] for 32 bits.
//
//go:noescape
func Store32(word *uint32, value uint32)

// Pause tells the CPU that this is a loop that waits for another one.
func Pause()

// Prefetch fetches the n bytes from start, and what shares their cache lines, into this
// CPU's cache while it goes on. It reads nothing: they need not be there.
//
//go:noescape
func Prefetch(start *byte, n int)
