package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
	"unpipc/gobind/pipe"
	"unpipc/gobind/unixsock"
)

// link is one end of a channel, seen from the role that has it.
type link struct {
	io.Reader
	io.Writer
	packets bool // a read returns one write, no more and no less, or what fits of it
	splice  *splicer
}

// stage is where to build message seq so that it is sent from there, with the bytes of m.
func (l *link) stage(m []byte, seq uint64) []byte {
	if l.splice == nil {
		return m
	}
	return l.splice.stage(m, seq)
}

// put sends one message.
func (l *link) put(m []byte) error {
	_, err := l.Write(m)
	return err
}

// get receives one message into all of m, which has capacity for a byte more so
// that a packet that is too long is seen.
func (l *link) get(m []byte) error {
	if l.packets {
		n, err := l.Read(m[:len(m)+1])
		if err == nil && n != len(m) {
			err = fmt.Errorf("a packet of %d bytes, expected %d", n, len(m))
		}
		return ended(err, len(m))
	}
	for have := 0; have < len(m); {
		n, err := l.Read(m[have:])
		if err != nil {
			return ended(err, len(m)-have)
		}
		have += n
	}
	return nil
}

func ended(err error, missing int) error {
	if err == io.EOF {
		return fmt.Errorf("read: end of file, expected %d bytes more", missing)
	}
	return err
}

// openLink opens the ends given on the command line of a role: descriptors, or
// the names of objects. Opening a FIFO waits for the other end, so both roles begin
// with the same one.
func openLink(channel, in, out string, size int, outFirst bool) (*link, error) {
	switch channel {
	case "posix_mq":
		r, inErr := openPosixQueue(in, unix.O_RDONLY)
		w, outErr := openPosixQueue(out, unix.O_WRONLY)
		return &link{Reader: r, Writer: w, packets: true}, errors.Join(inErr, outErr)
	case "sysv_mq":
		r, inErr := openSysv(in, size)
		w, outErr := openSysv(out, size)
		return &link{Reader: r, Writer: w, packets: true}, errors.Join(inErr, outErr)
	case "shm_sem":
		r, inErr := openRing(in)
		w, outErr := openRing(out)
		return &link{Reader: r, Writer: w, packets: true}, errors.Join(inErr, outErr)
	case "fifo":
		var r *pipe.Reader
		var w *pipe.Writer
		steps := []func() error{
			func() (err error) { r, err = fifo.OpenReader(context.Background(), in, 0); return },
			func() (err error) { w, err = fifo.OpenWriter(context.Background(), out, 0); return },
		}
		if outFirst {
			steps[0], steps[1] = steps[1], steps[0]
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return nil, err
			}
		}
		return &link{Reader: r, Writer: w}, nil
	}
	from, inErr := strconv.Atoi(in)
	to, outErr := strconv.Atoi(out)
	if inErr != nil || outErr != nil {
		return nil, fmt.Errorf("%q, %q: not descriptors", in, out)
	}
	switch {
	case channel == "vmsplice":
		w, err := newSplicer(to, max(size, sumSize))
		return &link{Reader: pipe.NewReader(from), Writer: w, splice: w}, err
	case channel == "tcp", strings.HasPrefix(channel, "unix_"):
		packets := channel == "unix_seqpacket" || channel == "unix_dgram"
		return &link{Reader: unixsock.New(from), Writer: unixsock.New(to), packets: packets}, nil
	}
	return &link{Reader: pipe.NewReader(from), Writer: pipe.NewWriter(to)}, nil
}
