//go:build !race

package ordered

import "runtime"

// A plain store is a release on amd64: stores become visible in program order, and after
// all earlier loads (Intel SDM volume 3, 9.2.2). What remains is the compiler. It keeps
// one chain of memory states through a function, in which each store is a link, and each
// load belongs to one; instructions come in this order. Only of plain stores with nothing
// but plain stores between them may one be left out, or two be made one. KeepAlive is a
// link of another kind, without an instruction, and so a fence for the compiler. All this
// is the compiler's and not the language's, so a test looks at what comes out.

// Store writes value with release order: whoever reads it by atomic.Load also sees all
// that this goroutine wrote before.
func Store(word *uint64, value uint64) {
	runtime.KeepAlive(nil)
	*word = value
}

// Store32 is [Store] for 32 bits.
func Store32(word *uint32, value uint32) {
	runtime.KeepAlive(nil)
	*word = value
}
