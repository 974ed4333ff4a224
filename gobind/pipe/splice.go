package pipe

import (
	"context"
	"io"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
)

// Splice moves up to n bytes from descriptor src to descriptor dst inside the
// kernel; one of the two must be a pipe. flags: SPLICE_F_MOVE, _NONBLOCK, _MORE.
// It returns io.EOF at the end of src. See splice(2).
// Error: *os.SyscallError (EINVAL when neither is a pipe; EAGAIN; EPIPE).
func Splice(dst, src int, n, flags int) (int, error) {
	return SpliceContext(context.Background(), dst, src, n, flags)
}

// SpliceContext is [Splice] until ctx ends; no byte is lost then.
func SpliceContext(ctx context.Context, dst, src int, n, flags int) (int, error) {
	return transfer(ctx, "splice", n, func() (int, error) {
		m, err := unix.Splice(src, nil, dst, nil, n, flags)
		return int(m), err
	})
}

// Tee copies up to n bytes from one pipe to another without taking them out of
// the first. It returns io.EOF when src is empty and has no writers. See tee(2).
// Error: *os.SyscallError (EINVAL for twice the same pipe; EAGAIN; EPIPE).
func Tee(dst *Writer, src *Reader, n, flags int) (int, error) {
	return TeeContext(context.Background(), dst, src, n, flags)
}

// TeeContext is [Tee] until ctx ends.
func TeeContext(ctx context.Context, dst *Writer, src *Reader, n, flags int) (int, error) {
	return transfer(ctx, "tee", n, func() (int, error) {
		m, err := unix.Tee(src.fd, dst.fd, n, flags)
		return int(m), err
	})
}

// Vmsplice puts the memory of p into the pipe without copying it, as far as there
// is room, and returns how much that is. Until the reader has it, which no call
// tells, p may neither change nor be given up: Go reuses memory that it cannot
// reach any more. Memory from unix.Mmap is safe from that. See vmsplice(2).
// Error: *os.SyscallError (EPIPE, EAGAIN with SPLICE_F_NONBLOCK).
func (w *Writer) Vmsplice(p []byte, flags int) (int, error) {
	return w.VmspliceContext(context.Background(), p, flags)
}

// VmspliceContext is [Writer.Vmsplice] until ctx ends.
func (w *Writer) VmspliceContext(ctx context.Context, p []byte, flags int) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	iov := []unix.Iovec{{Base: &p[0]}}
	iov[0].SetLen(len(p))
	return blocking.Transfer(ctx, "vmsplice", func() (int, error) { return unix.Vmsplice(w.fd, iov, flags) })
}

func transfer(ctx context.Context, op string, n int, f func() (int, error)) (int, error) {
	moved, err := blocking.Transfer(ctx, op, f)
	if moved == 0 && n > 0 && err == nil {
		err = io.EOF
	}
	return moved, err
}
