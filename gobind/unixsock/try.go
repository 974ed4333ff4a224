//go:build !race

package unixsock

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// tryLimit, in bytes, bounds how long a call can keep its thread: copying
	// more takes so long that telling the scheduler does not matter.
	tryLimit = 64 << 10
	// skipReads follow a read that found nothing: who waits for each answer waits
	// for the next one too, and should not pay for trying.
	skipReads = 15
)

// tryRead reads what is there without waiting. EAGAIN says that nothing is, or
// that it was not tried. Any other result stands: an error of a socket is told
// once only, and an empty packet is taken.
func (c *Conn) tryRead(p []byte) (int, syscall.Errno) {
	if skip := c.skip.Load(); skip > 0 {
		c.skip.Store(skip - 1)
		return 0, unix.EAGAIN
	}
	n, errno := try(unix.SYS_RECVFROM, c.fd, p, unix.MSG_DONTWAIT)
	if errno == unix.EAGAIN {
		c.skip.Store(skipReads)
	}
	return n, errno
}

// tryWrite writes what there is room for without waiting. EAGAIN as for tryRead.
func (c *Conn) tryWrite(p []byte) (int, syscall.Errno) {
	return try(unix.SYS_SENDTO, c.fd, p, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

func try(call uintptr, fd int, p []byte, flags uintptr) (int, syscall.Errno) {
	if len(p) == 0 || len(p) > tryLimit {
		return 0, unix.EAGAIN
	}
	n, _, errno := unix.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), flags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
