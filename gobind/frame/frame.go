// Package frame sends messages over a byte stream, many of them in one write.
//
// A pipe or stream socket costs one system call a message, whatever its size,
// and keeps no boundaries between messages. A frame is a message behind its
// length, and a [Writer] gathers frames until its buffer is full or
// [Writer.Flush] is called:
//
//	0        4                4+n
//	+--------+----------------+--------+--
//	| n      | n bytes        | n'     | …
//	+--------+----------------+--------+--
//
// n is 32 bits, little-endian; there is no padding, no type and no checksum.
//
// # Caveats
//
// A message waits in the buffer until it is flushed: flush before waiting for an
// answer. The writes of two processes to one pipe mix; one stream has one Writer
// and one Reader, neither of which may be used by two goroutines at once.
package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// HeaderSize is what a frame adds to its message, in bytes.
const HeaderSize = 4

// DefaultBuffer is, in bytes, what a Writer and a Reader take for a size of 0:
// half of what a pipe holds, so that one end fills while the other empties.
const DefaultBuffer = 32 << 10

// ErrTooLong is in the error for a message over the limit.
var ErrTooLong = errors.New("message too long")

// Writer gathers messages into writes. After an error it only returns that error,
// because part of a frame may have been written.
type Writer struct {
	w   io.Writer
	buf []byte
	err error
}

// NewWriter writes frames to w through a buffer of size bytes.
func NewWriter(w io.Writer, size int) *Writer {
	if size <= 0 {
		size = DefaultBuffer
	}
	return &Writer{w: w, buf: make([]byte, 0, max(size, HeaderSize))}
}

// Write adds p as one message, which may be empty. When the buffer has no room
// for it, what is there is written first; a message larger than the buffer goes
// out directly.
// Error: [ErrTooLong] over 4 GiB, or that of the stream.
func (w *Writer) Write(p []byte) (int, error) {
	if len(p) > math.MaxUint32 {
		return 0, fmt.Errorf("frame: %d bytes: %w", len(p), ErrTooLong)
	}
	if HeaderSize+len(p) > cap(w.buf)-len(w.buf) {
		if err := w.Flush(); err != nil {
			return 0, err
		}
	}
	if w.err != nil {
		return 0, w.err
	}
	w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(len(p)))
	if len(p) <= cap(w.buf)-len(w.buf) {
		w.buf = append(w.buf, p...)
		return len(p), nil
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	return w.write(p)
}

// Flush writes what the buffer holds. Error: that of the stream.
func (w *Writer) Flush() error {
	if w.err != nil || len(w.buf) == 0 {
		return w.err
	}
	_, err := w.write(w.buf)
	w.buf = w.buf[:0]
	return err
}

func (w *Writer) write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	w.err = err
	return n, err
}

// Reader takes messages out of a stream. After an error it only returns that
// error, because where the next frame begins is then unknown.
type Reader struct {
	r          io.Reader
	buf        []byte
	begin, end int // what was read and not yet returned
	limit      int
	err        error
}

// NewReader reads frames from r through a buffer of size bytes, which grows as
// a message needs it. A message of more than limit bytes is refused.
func NewReader(r io.Reader, size, limit int) *Reader {
	if size <= 0 {
		size = DefaultBuffer
	}
	return &Reader{r: r, buf: make([]byte, max(size, HeaderSize)), limit: limit}
}

// Next is the next message; it is valid until the following call.
// Error: io.EOF at the end of the stream, io.ErrUnexpectedEOF if that is inside a
// frame, [ErrTooLong], or that of the stream.
func (r *Reader) Next() ([]byte, error) {
	if r.end-r.begin < HeaderSize {
		if err := r.fill(HeaderSize); err != nil {
			return nil, err
		}
	}
	// As 64 bits, for a length may be more than an int can hold.
	n := int64(binary.LittleEndian.Uint32(r.buf[r.begin:]))
	if n > int64(r.limit) {
		r.err = fmt.Errorf("frame: %d bytes, the limit is %d: %w", n, r.limit, ErrTooLong)
		return nil, r.err
	}
	whole := HeaderSize + int(n)
	if r.end-r.begin < whole {
		if err := r.fill(whole); err != nil {
			return nil, err
		}
	}
	m := r.buf[r.begin+HeaderSize : r.begin+whole : r.begin+whole]
	r.begin += whole
	return m, nil
}

// fill reads until the buffer holds at least want bytes. The buffer doubles as
// bytes arrive, so a length alone, which may be a lie, reserves no memory.
func (r *Reader) fill(want int) error {
	copy(r.buf, r.buf[r.begin:r.end])
	r.begin, r.end = 0, r.end-r.begin
	for empty := 0; r.end < want && r.err == nil; {
		if r.end == len(r.buf) {
			r.buf = append(r.buf, make([]byte, min(len(r.buf), want-r.end))...)
		}
		n, err := r.r.Read(r.buf[r.end:])
		r.end += n
		if n > 0 {
			empty = 0
		} else if empty++; empty == 100 && err == nil {
			err = io.ErrNoProgress
		}
		r.err = err
	}
	if r.end >= want {
		return nil // an error is for the call that needs more than this
	}
	if r.err == io.EOF && r.end > 0 {
		r.err = io.ErrUnexpectedEOF
	}
	return r.err
}
