// Package pipe gives pipes and the ends of FIFOs: UNPv2 chapter 4, pipe(7).
//
// Reads and writes are the system calls themselves on blocking descriptors, not
// Go's poller: one call is one read(2) or write(2), with its atomicity.
//
// An end may be used by several goroutines at once, as a descriptor may; closing
// it while a call is in progress is, as in C, the caller's race.
package pipe

import (
	"context"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
)

// Reader is the read end of a pipe or FIFO.
type Reader struct{ end }

// Writer is the write end of a pipe or FIFO.
type Writer struct{ end }

// New makes a pipe whose ends are close-on-exec. flags adds O_NONBLOCK or
// O_DIRECT (packet mode: each read returns one write). See pipe2(2).
// Error: *os.SyscallError (EMFILE, ENFILE, EINVAL).
func New(flags int) (*Reader, *Writer, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], flags|unix.O_CLOEXEC); err != nil {
		return nil, nil, errs.Call("pipe2", errs.Errno(err))
	}
	return NewReader(fds[0]), NewWriter(fds[1]), nil
}

// NewReader takes over the descriptor of a read end.
func NewReader(fd int) *Reader { return &Reader{end{fd}} }

// NewWriter takes over the descriptor of a write end.
func NewWriter(fd int) *Writer { return &Writer{end{fd}} }

// Read is one read(2): it sleeps while the pipe is empty and has writers, and
// returns io.EOF when it is empty and has none.
// Error: *os.SyscallError (EAGAIN on a non-blocking end).
func (r *Reader) Read(p []byte) (int, error) {
	for {
		n, err := unix.Read(r.fd, p)
		if n > 0 {
			return n, nil
		}
		if err == nil {
			if len(p) == 0 {
				return 0, nil
			}
			return 0, io.EOF
		}
		if err != unix.EINTR {
			return 0, errs.Call("read", errs.Errno(err))
		}
	}
}

// ReadContext is [Reader.Read] until ctx ends; no byte is lost then.
func (r *Reader) ReadContext(ctx context.Context, p []byte) (int, error) {
	n, err := blocking.Transfer(ctx, "read", func() (int, error) { return unix.Read(r.fd, p) })
	if n == 0 && err == nil && len(p) > 0 {
		err = io.EOF
	}
	return n, err
}

// Readv is one readv(2): it fills the buffers in turn, and otherwise behaves as
// [Reader.Read]. Error: also EINVAL for more than 1024 buffers (IOV_MAX).
func (r *Reader) Readv(bufs [][]byte) (int, error) { return r.ReadvContext(context.Background(), bufs) }

// ReadvContext is [Reader.Readv] until ctx ends; no byte is lost then.
func (r *Reader) ReadvContext(ctx context.Context, bufs [][]byte) (int, error) {
	n, err := blocking.Transfer(ctx, "readv", func() (int, error) { return unix.Readv(r.fd, bufs) })
	if n == 0 && err == nil && slices.ContainsFunc(bufs, func(b []byte) bool { return len(b) > 0 }) {
		err = io.EOF
	}
	return n, err
}

// Write writes all of p. Up to PIPE_BUF bytes are written as one, never mixed
// with another writer's; more may be. On a non-blocking end it returns EAGAIN
// with the number of bytes the pipe had room for.
// Error: *os.SyscallError (EPIPE when there is no reader left).
func (w *Writer) Write(p []byte) (int, error) {
	done := 0
	for {
		n, err := unix.Write(w.fd, p[done:])
		if n > 0 {
			done += n
		}
		if err != nil && err != unix.EINTR {
			return done, errs.Call("write", errs.Errno(err))
		}
		if done == len(p) {
			return done, nil
		}
	}
}

// WriteContext is [Writer.Write] until ctx ends; it returns how many bytes were
// written, which is none or all when len(p) is at most PIPE_BUF.
func (w *Writer) WriteContext(ctx context.Context, p []byte) (int, error) {
	done := 0
	for {
		n, err := blocking.Transfer(ctx, "write", func() (int, error) { return unix.Write(w.fd, p[done:]) })
		done += n
		if err != nil || done == len(p) {
			return done, err
		}
	}
}

// Writev is one writev(2): the buffers as one write, so up to PIPE_BUF bytes of
// them together are atomic. It may write less than all of more, and then says how
// much. Error: as [Writer.Write]; EINVAL for more than 1024 buffers (IOV_MAX).
func (w *Writer) Writev(bufs [][]byte) (int, error) {
	return w.WritevContext(context.Background(), bufs)
}

// WritevContext is [Writer.Writev] until ctx ends.
func (w *Writer) WritevContext(ctx context.Context, bufs [][]byte) (int, error) {
	return blocking.Transfer(ctx, "writev", func() (int, error) { return unix.Writev(w.fd, bufs) })
}

// end is what both ends share.
type end struct{ fd int }

// Fd is the descriptor, which stays the end's; -1 after Close.
func (e *end) Fd() int { return e.fd }

// Close closes the descriptor. Error: *os.SyscallError (EBADF the second time).
func (e *end) Close() error {
	fd := e.fd
	e.fd = -1
	return errs.Call("close", errs.Errno(unix.Close(fd)))
}

// String names the descriptor.
func (e *end) String() string { return fmt.Sprintf("pipe end %d", e.fd) }
