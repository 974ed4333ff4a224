package stress

import (
	"context"
	"encoding/binary"
	"os"

	"unpipc/gobind/pipe"
)

// deathNotice in a notice asks for the death; other numbers are those of nuisances.
const deathNotice = 0xffff

// notice is a worker's word that it has come to where a fault is planned for it.
type notice struct{ worker, generation, fault int }

const noticeSize = 6

// notify tells the process that brings the faults.
func (w *worker) notify(fault int) {
	var b [noticeSize]byte
	for i, n := range []int{w.index, w.generation, fault} {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(n))
	}
	if _, err := w.notices.Write(b[:]); err != nil {
		os.Exit(1) // nobody is there any more
	}
}

// receiveNotices hands on what comes, until ctx ends.
func receiveNotices(ctx context.Context, in *pipe.Reader, to chan<- notice) {
	b := make([]byte, noticeSize)
	for {
		// Each is written as one, and so is each read.
		if n, err := in.ReadContext(ctx, b); err != nil || n < noticeSize {
			return
		}
		number := func(i int) int { return int(binary.LittleEndian.Uint16(b[2*i:])) }
		select {
		case to <- notice{number(0), number(1), number(2)}:
		case <-ctx.Done():
			return
		}
	}
}
