package p12shmring

import "fmt"

// Producer is the writing end of a ring, for one goroutine.
type Producer struct {
	// Batch is how many bytes of records may be kept back before they are published. What
	// is kept back is published by [Producer.Flush] and [Producer.Close], and before the
	// producer sleeps. 0: every message is published at once.
	Batch int
	// Check is called every [Patience] while the producer sleeps; its error ends that.
	Check func() error

	ring      *Ring
	bytes     []byte // the ring's, and its capacity less 1: what is on the way of each message
	mask      uint64
	tail      uint64 // where the next record goes
	limit     uint64 // how far records may go, as far as is known
	published uint64
	at        uint64 // the position of what is reserved
	reserved  int    // bytes of it, -1: nothing
	err       error
	waiter    waiter
}

// Producer is the ring's writing end. It goes on where an earlier one ended.
func (r *Ring) Producer() *Producer {
	tail := r.tail.Load()
	return &Producer{Check: noCheck, ring: r, bytes: r.bytes, mask: r.mask(), tail: tail, limit: tail,
		published: tail, reserved: -1, waiter: newWaiter(r.producerSleeps)}
}

// Reserve is room for a message of n bytes, in the ring itself. It sleeps while there is
// none. Another Reserve without a [Producer.Commit] forgets the first.
// Errors: [ErrTooLong], [ErrClosed], [ErrCorrupt], those of Check.
func (p *Producer) Reserve(n int) ([]byte, error) {
	if n < 0 || n > p.ring.Largest() {
		return nil, p.tooLong(n)
	}
	need, at := recordSize(n), p.tail&p.mask
	skip := uint64(0)
	if p.mask+1-at < need {
		skip = p.mask + 1 - at
	}
	if p.limit-p.tail < skip+need {
		if err := p.awaitRoom(skip + need); err != nil {
			return nil, err
		}
	}
	if skip > 0 {
		putHeader(p.bytes[at:], uint32(skip-recordHeader), markSkip)
		p.tail += skip
		at = 0
	}
	p.at, p.reserved = at, n
	return p.bytes[at+recordHeader:][:n:n], nil
}

func (p *Producer) tooLong(n int) error {
	return fmt.Errorf("%w: %d bytes, the largest is %d", ErrTooLong, n, p.ring.Largest())
}

// Commit makes the first n bytes of what is reserved a message. Error: [ErrTooLong] if
// that is more.
func (p *Producer) Commit(n int) error {
	if n < 0 || n > p.reserved {
		return fmt.Errorf("%w: %d bytes of %d reserved", ErrTooLong, n, max(p.reserved, 0))
	}
	putHeader(p.bytes[p.at:], uint32(n), markMessage)
	p.tail += recordSize(n)
	p.reserved = -1
	if p.tail-p.published > uint64(p.Batch) {
		p.Flush()
	}
	return nil
}

// Send copies a message into the ring.
func (p *Producer) Send(m []byte) error {
	room, err := p.Reserve(len(m))
	if err != nil {
		return err
	}
	return p.Commit(copy(room, m))
}

// Flush publishes what was kept back.
func (p *Producer) Flush() {
	if p.published != p.tail {
		p.published = p.tail
		p.ring.tail.Store(p.tail)
		wake(p.ring.consumerSleeps)
	}
}

// Close publishes everything and tells the consumer that nothing more will come.
func (p *Producer) Close() {
	p.Flush()
	p.ring.producerClosed.Store(1)
	wake(p.ring.consumerSleeps)
}

// awaitRoom sleeps until so many bytes are free.
func (p *Producer) awaitRoom(need uint64) error {
	capacity := p.mask + 1
	room := func() bool {
		head := p.ring.head.Load()
		if p.tail-head > capacity {
			p.err = fmt.Errorf("%w: head %d, tail %d", ErrCorrupt, head, p.tail)
		} else {
			p.limit = head + capacity
		}
		if p.ring.consumerClosed.Load() != 0 && p.err == nil {
			p.err = ErrClosed
		}
		return p.err != nil || p.limit-p.tail >= need
	}
	if !room() {
		p.Flush() // or the consumer might sleep as well
		if err := p.waiter.await(room, p.Check); err != nil {
			return err
		}
	}
	return p.err
}
