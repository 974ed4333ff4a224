package callcost

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/message"
)

// queue is an empty queue of either kind.
type queue interface {
	// buffers are what is sent from and what is received into, of equal size.
	buffers() (sent, got []byte)
	// pass sends the message and receives it; n is how many bytes came back, 0 if the
	// priority or type, which follows from seq, did not.
	pass(seq uint64) (n int, err error)
	close() error
}

func (r *role) run(q queue) (o measure.Outcome, err error) {
	defer func() { err = errors.Join(err, q.close()) }()
	sent, got := q.buffers()
	for seq := uint64(1); seq <= r.warmup; seq++ {
		message.Fill(sent, seq)
		if err := passOnce(q, sent, got, seq); err != nil {
			return o, err
		}
		if !bytes.Equal(sent, got) {
			return o, fmt.Errorf("warm-up message %d: not the bytes that were sent", seq)
		}
	}
	clear(got)
	start := time.Now()
	for seq := uint64(1); seq <= r.count; seq++ {
		message.Stamp(sent, seq)
		if err := passOnce(q, sent, got, seq); err != nil {
			return o, err
		}
	}
	o = measure.Outcome{Count: int64(r.count), NS: time.Since(start).Nanoseconds()}
	if !bytes.Equal(sent, got) {
		return o, errors.New("last message: not the bytes that were sent")
	}
	return o, nil
}

func passOnce(q queue, sent, got []byte, seq uint64) error {
	n, err := q.pass(seq)
	if err != nil {
		return err
	}
	if n != len(sent) || !message.Stamped(got, seq) {
		return fmt.Errorf("message %d: %d bytes, or a wrong number", seq, n)
	}
	return nil
}
