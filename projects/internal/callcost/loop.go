package callcost

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
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

func (r *role) run(q queue) (o outcome, err error) {
	defer func() { err = errors.Join(err, q.close()) }()
	sent, got := q.buffers()
	for seq := uint64(1); seq <= r.warmup; seq++ {
		fill(sent, seq)
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
		stamp(sent, seq)
		if err := passOnce(q, sent, got, seq); err != nil {
			return o, err
		}
	}
	o = outcome{Count: int64(r.count), NS: time.Since(start).Nanoseconds()}
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
	if n != len(sent) || !stamped(got, seq) {
		return fmt.Errorf("message %d: %d bytes, or a wrong number", seq, n)
	}
	return nil
}

// stamp puts the sequence number into both ends of a message.
func stamp(m []byte, seq uint64) {
	if len(m) < 16 {
		m[0], m[len(m)-1] = byte(seq), byte(seq)
		return
	}
	binary.LittleEndian.PutUint64(m, seq)
	binary.LittleEndian.PutUint64(m[len(m)-8:], seq)
}

func stamped(m []byte, seq uint64) bool {
	if len(m) < 16 {
		return m[0] == byte(seq) && m[len(m)-1] == byte(seq)
	}
	return binary.LittleEndian.Uint64(m) == seq && binary.LittleEndian.Uint64(m[len(m)-8:]) == seq
}

// fill makes a message of bytes that the next one of its size does not have.
func fill(m []byte, seq uint64) {
	for i := range m {
		m[i] = byte(uint64(i)*31 + seq*131)
	}
	stamp(m, seq)
}
