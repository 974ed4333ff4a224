package p12shmring

import (
	"fmt"
	"io"

	"unpipc/gobind/ordered"
)

// Consumer is the reading end of a ring, for one goroutine.
type Consumer struct {
	// Check is called every [Patience] while the consumer sleeps; its error ends that.
	Check func() error

	ring      *Ring
	bytes     []byte // the ring's, and its capacity less 1: what is on the way of each message
	mask      uint64
	next      uint64 // the record that Next returns
	limit     uint64 // how far there are records, as far as is known
	fetched   uint64 // how far the CPU was told to fetch them
	released  uint64 // what may be overwritten
	published uint64 // what the producer has been told of that
	err       error
	waiter    waiter
}

// Consumer is the ring's reading end. It goes on where an earlier one ended.
func (r *Ring) Consumer() *Consumer {
	head := r.head.Load()
	return &Consumer{Check: noCheck, ring: r, bytes: r.bytes, mask: r.mask(), next: head, limit: head,
		released: head, published: head, waiter: newWaiter(r.consumerSleeps)}
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
		record := c.bytes[c.next&c.mask:]
		// Each once: what is checked must be what is used.
		length, mark := header(record)
		size := recordSize(int(length))
		if size > uint64(len(record)) || size > c.limit-c.next || mark != markMessage && mark != markSkip {
			return nil, c.corrupt(length, mark)
		}
		c.next += size
		if mark == markSkip {
			continue
		}
		if int64(c.fetched-c.next) < ahead && c.fetched != c.limit && size <= longMessage {
			c.fetch()
		}
		// In two steps: where a message begins is then known before its length has come from
		// the other CPU. Cut at both ends at once, Go would compute the one from the other, so
		// as never to point behind the bytes, and its copying would wait for the length.
		return record[recordHeader:][:length:length], nil
	}
}

// The bytes behind a message are fetched from the other CPU's cache while it is used, so
// far ahead. A long message is worth it only in parts, and the CPU soon sees that it is
// read in order.
const (
	ahead       = 1024
	longMessage = 4096
)

func (c *Consumer) fetch() {
	from := max(c.fetched, c.next)
	n := min(c.limit-from, ahead)
	ordered.Prefetch(&c.bytes[from&c.mask], int(n))
	c.fetched = from + n
}

func (c *Consumer) corrupt(length, mark uint32) error {
	c.err = fmt.Errorf("%w: a record of %d bytes, mark %#x, at %d", ErrCorrupt, length, mark, c.next)
	c.limit = c.next
	return c.err
}

// Release gives all that [Consumer.Next] has returned back to the producer. It learns of
// that when it is a quarter of the ring, or when there is nothing more to read.
func (c *Consumer) Release() {
	c.released = c.next
	if c.released-c.published > c.mask/4 {
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
		if n := tail - c.next; tail-c.published > c.mask+1 || n > tail-c.published || n%8 != 0 {
			c.err = fmt.Errorf("%w: head %d, tail %d", ErrCorrupt, c.next, tail)
		} else {
			c.limit = tail
		}
		return c.err != nil || c.limit != c.next || closed
	}
	if !some() {
		c.publish() // or the producer might sleep as well
		if err := c.waiter.await(some, c.Check); err != nil {
			return err
		}
	}
	if c.err == nil && c.limit == c.next {
		c.publish()
		return io.EOF
	}
	return c.err
}
