package pipe

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#include "unp_pipe.h"
*/
import "C"

import (
	"syscall"

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/pipe"
	"unpipc/gobind/internal/errs"
)

// Capacity is the size of the pipe's buffer in bytes (F_GETPIPE_SZ).
// Error: *os.SyscallError (EBADF if it is no pipe).
func (e *end) Capacity() (int, error) {
	n, err := unix.FcntlInt(uintptr(e.fd), unix.F_GETPIPE_SZ, 0)
	return n, errs.Call("fcntl", errs.Errno(err))
}

// SetCapacity asks for a buffer of at least the given bytes and returns what the
// kernel gave: a power of two of pages (F_SETPIPE_SZ).
// Error: *os.SyscallError (EPERM over /proc/sys/fs/pipe-max-size without
// privilege, EBUSY under what it holds).
func (e *end) SetCapacity(bytes int) (int, error) {
	n, err := unix.FcntlInt(uintptr(e.fd), unix.F_SETPIPE_SZ, bytes)
	return n, errs.Call("fcntl", errs.Errno(err))
}

// Buffered is the number of bytes waiting to be read (FIONREAD).
func (e *end) Buffered() (int, error) {
	n, err := unix.IoctlGetInt(e.fd, unix.TIOCINQ)
	return n, errs.Call("ioctl", errs.Errno(err))
}

// AtomicSize is PIPE_BUF: the largest write in bytes that is never mixed with
// another writer's; -1 means any. See fpathconf(3).
func (e *end) AtomicSize() (int, error) {
	var n C.long
	errno := syscall.Errno(C.unp_pipe_buf(C.int(e.fd), &n))
	return int(n), errs.Call("fpathconf", errno)
}
