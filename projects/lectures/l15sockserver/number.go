package l15sockserver

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"syscall"

	"unpipc/gobind/unixsock"
)

// Send sends a number, an int of 4 bytes.
func Send(ctx context.Context, to *unixsock.Conn, number int32) error {
	_, err := to.WriteContext(ctx, binary.NativeEndian.AppendUint32(nil, uint32(number)))
	return err
}

// Receive reads a number, whose bytes may come one by one. The error is [io.EOF] when the
// other end is closed, [io.ErrUnexpectedEOF] within a number.
func Receive(ctx context.Context, from *unixsock.Conn) (int32, error) {
	var number [4]byte
	for n := 0; n < len(number); {
		more, err := from.ReadContext(ctx, number[n:])
		if err == io.EOF && n > 0 {
			return 0, io.ErrUnexpectedEOF
		} else if err != nil {
			return 0, err
		}
		n += more
	}
	return int32(binary.NativeEndian.Uint32(number[:])), nil
}

// Closed says whether an error is that the other end is closed: the end of the stream,
// within a number or not, or a call that found it closed with something unread in it.
func Closed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}
