package pipe

import (
	"context"
	"io"

	"golang.org/x/sys/unix"
)

// Splice moves up to n bytes from descriptor src to descriptor dst inside the
// kernel; one of the two must be a pipe. flags: SPLICE_F_MOVE, _NONBLOCK, _MORE.
// It returns io.EOF at the end of src. See splice(2).
// Error: *os.SyscallError (EINVAL when neither is a pipe).
func Splice(dst, src int, n, flags int) (int, error) {
	return transfer("splice", func() (int, error) {
		m, err := unix.Splice(src, nil, dst, nil, n, flags)
		return int(m), err
	})
}

// Tee copies up to n bytes from one pipe to another without taking them out of
// the first. It returns io.EOF when src is empty and has no writers. See tee(2).
func Tee(dst *Writer, src *Reader, n, flags int) (int, error) {
	return transfer("tee", func() (int, error) {
		m, err := unix.Tee(src.fd, dst.fd, n, flags)
		return int(m), err
	})
}

// Vmsplice puts the memory of p into the pipe without copying it: p may not be
// changed until it has been read, which no call tells. See vmsplice(2).
func (w *Writer) Vmsplice(p []byte, flags int) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	iov := []unix.Iovec{{Base: &p[0]}}
	iov[0].SetLen(len(p))
	return w.call(context.Background(), "vmsplice", func() (int, error) { return unix.Vmsplice(w.fd, iov, flags) })
}

func transfer(op string, f func() (int, error)) (int, error) {
	n, err := (&end{}).call(context.Background(), op, f)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}
