package l02parallelsort

import (
	"io"

	"unpipc/gobind/pipe"
)

// pipeBytes is the capacity that is asked for: fewer wake-ups. It is the most that a process
// without privilege gets.
const pipeBytes = 1 << 20

// NewPipe is a [Link] through a pipe.
func NewPipe() (l Link, fd int, close func() error, err error) {
	r, w, err := pipe.New(0)
	if err != nil {
		return nil, 0, nil, err
	}
	_, _ = w.SetCapacity(pipeBytes) // it works with the usual one as well
	return pipeLink{r}, w.Fd(), w.Close, nil
}

type pipeLink struct{ *pipe.Reader }

// Receive needs not ask whether the worker has ended: nobody else can write then.
func (l pipeLink) Receive(p []byte, _ func() bool) error {
	for len(p) > 0 {
		n, err := l.Read(p)
		if err == io.EOF {
			return ErrEnded
		}
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// OpenPipe is the worker's end of [NewPipe].
func OpenPipe(int) (send func(p []byte) error, err error) {
	w := pipe.NewWriter(LinkFD)
	return func(p []byte) error {
		_, err := w.Write(p)
		return err
	}, nil
}
