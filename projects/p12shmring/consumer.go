package p12shmring

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Consumer is the reading end of a ring, for one goroutine.
type Consumer struct {
	// Check is called every [Patience] while the consumer sleeps; its error ends that.
	Check func() error

	ring      *Ring
	next      uint64 // the record that Next returns
	released  uint64 // what may be overwritten
	published uint64 // what the producer has been told of that
	limit     uint64 // how far there are records, as far as is known
	err       error
}

// Consumer is the ring's reading end. It goes on where an earlier one ended.
func (r *Ring) Consumer() *Consumer {
	head := r.head.Load()
	return &Consumer{Check: noCheck, ring: r, next: head, released: head, published: head, limit: head}
}

// Next is the next message, in the ring itself: it may be used until [Consumer.Release].
// It sleeps while there is none. Several messages may be taken before they are released
// together, as long as the producer has room for what it is to send.
// Errors: io.EOF, [ErrCorrupt], those of Check.
func (c *Consumer) Next() ([]byte, error) {
	for {
		if c.next == c.limit {
			if err := c.awaitRecord(); err != nil {
				return nil, err
			}
		}
		capacity := uint64(len(c.ring.bytes))
		at := c.next & (capacity - 1)
		// Once: what is checked must be what is used.
		length, mark := split(binary.NativeEndian.Uint64(c.ring.bytes[at : at+recordHeader]))
		size := recordSize(int(length))
		if size > capacity-at || size > c.limit-c.next || mark != markMessage && mark != markSkip {
			c.err = fmt.Errorf("%w: a record of %d bytes, mark %#x, at %d", ErrCorrupt, length, mark, c.next)
			c.limit = c.next
			return nil, c.err
		}
		c.next += size
		if mark == markMessage {
			start := at + recordHeader
			return c.ring.bytes[start : start+uint64(length) : start+uint64(length)], nil
		}
	}
}

// Release gives all that [Consumer.Next] has returned back to the producer. It learns of
// that when it is a quarter of the ring, or when there is nothing more to read.
func (c *Consumer) Release() {
	c.released = c.next
	if c.released-c.published > uint64(len(c.ring.bytes))/4 {
		c.publish()
	}
}

// Receive copies a message out of the ring, cut to the length of p.
func (c *Consumer) Receive(p []byte) (int, error) {
	m, err := c.Next()
	if err != nil {
		return 0, err
	}
	n := copy(p, m)
	c.Release()
	return n, nil
}

// Close tells the producer that nothing more will be read.
func (c *Consumer) Close() {
	c.publish()
	c.ring.consumerClosed.Store(1)
	wake(c.ring.producerSleeps)
}

func (c *Consumer) publish() {
	if c.published != c.released {
		c.published = c.released
		c.ring.head.Store(c.released)
		wake(c.ring.producerSleeps)
	}
}

// awaitRecord sleeps until there is a record, or never will be.
func (c *Consumer) awaitRecord() error {
	if c.err != nil {
		return c.err
	}
	closed := false
	some := func() bool {
		// In this order: what was written before the closing is seen.
		closed = c.ring.producerClosed.Load() != 0
		tail := c.ring.tail.Load()
		if n := tail - c.next; tail-c.published > uint64(len(c.ring.bytes)) || n > tail-c.published || n%8 != 0 {
			c.err = fmt.Errorf("%w: head %d, tail %d", ErrCorrupt, c.next, tail)
		} else {
			c.limit = tail
		}
		return c.err != nil || c.limit != c.next || closed
	}
	if !some() {
		c.publish() // or the producer might sleep as well
		if err := await(c.ring.consumerSleeps, some, c.Check); err != nil {
			return err
		}
	}
	if c.err == nil && c.limit == c.next {
		c.publish()
		return io.EOF
	}
	return c.err
}

// header is a record's first 8 bytes: the length at the lower address.
func header(length, mark uint32) uint64 {
	if bigEndian {
		return uint64(length)<<32 | uint64(mark)
	}
	return uint64(mark)<<32 | uint64(length)
}

func split(h uint64) (length, mark uint32) {
	if bigEndian {
		return uint32(h >> 32), uint32(h)
	}
	return uint32(h), uint32(h >> 32)
}

var bigEndian = binary.NativeEndian.Uint16([]byte{1, 0}) != 1
