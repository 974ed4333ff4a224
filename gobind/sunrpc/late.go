package sunrpc

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forgetLate takes what has come on a datagram socket between two calls: answers to a call
// that had timed out, and second ones to a call that was sent twice. Libtirpc's next call
// would find such an answer at once, know that it is another's, and yet count all the time
// that it would have waited as gone by: it times out, or sends again, and so its own answer,
// or the second one, is left for the call after it, and so on for ever.
func (c *Client) forgetLate() {
	var rest byte
	for range 1000 { // who floods the socket does not keep the caller here
		_, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(c.fd), uintptr(unsafe.Pointer(&rest)), 1, unix.MSG_DONTWAIT, 0, 0)
		if errno != 0 && errno != unix.EINTR {
			return
		}
	}
}
