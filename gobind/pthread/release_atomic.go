//go:build !amd64 || race

package pthread

import "sync/atomic"

// release stores with release order at least, as libc's unlock of a spin lock does.
func release(word *int32, value int32) { atomic.StoreInt32(word, value) }
