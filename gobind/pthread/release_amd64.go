//go:build !race

package pthread

import "runtime"

// release stores with release order, as libc's unlock of a spin lock does. A plain store has
// it on amd64: stores become visible in program order, and after all earlier loads (Intel SDM
// volume 3, 9.2.2), where atomic.Store waits for all of them. KeepAlive is a fence for the
// compiler, without an instruction.
func release(word *int32, value int32) {
	runtime.KeepAlive(nil)
	*word = value
}
