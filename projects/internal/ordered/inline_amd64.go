//go:build !race

package ordered

import "sync/atomic"

// StoreInline32 is [Store32] without a call, for a place where there is no time for one.
// It needs an operation of sync/atomic behind it, of the same goroutine and on any word.
func StoreInline32(word *uint32, value uint32) {
	// The compiler moves no access to memory across an atomic operation, so none from
	// before this load gets behind the store.
	_ = atomic.LoadUint32(word)
	*word = value
}
