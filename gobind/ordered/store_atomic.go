//go:build !amd64 || race

package ordered

import "sync/atomic"

// Store writes value with release order: whoever reads it by atomic.Load also sees all
// that this goroutine wrote before.
func Store(word *uint64, value uint64) { atomic.StoreUint64(word, value) }

// Store32 is [Store] for 32 bits.
func Store32(word *uint32, value uint32) { atomic.StoreUint32(word, value) }
