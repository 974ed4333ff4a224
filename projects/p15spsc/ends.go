package p15spsc

import (
	"sync/atomic"
	"unsafe"

	"unpipc/projects/internal/ordered"
)

// Producer is the writing end of a queue of the kinds Cached, Deferred and Batched. It
// must be used by one goroutine at a time, and there must be one only.
type Producer struct {
	_         [Block]byte // apart from whatever lies beside it
	slots     *uint64
	mask      uint64
	tail      uint64 // the next item
	limit     uint64 // the first item for which there is no room, as far as is known
	published uint64 // what the consumer has been told of
	every     uint64 // how many items may be kept from it
	shared    *uint64
	peer      *uint64
	err       error
	queue     *Queue
	_         [Block]byte
}

// Producer is the queue's writing end. It goes on where an earlier one ended.
func (q *Queue) Producer() *Producer {
	tail := atomic.LoadUint64(q.tail)
	p := &Producer{slots: q.slots, mask: q.capacity - 1, tail: tail, limit: tail, published: tail,
		every: 1, shared: q.tail, peer: q.head, queue: q}
	if q.kind == Deferred {
		p.every = max(q.capacity/4, 1)
	}
	return p
}

// TryPush writes one item if there is room. When there is none, [Producer.Err] says
// whether that may change.
func (p *Producer) TryPush(v uint64) bool {
	t := p.tail
	if t == p.limit && !p.look() {
		return false
	}
	*slot(p.slots, p.mask, t) = v
	p.tail = t + 1
	if p.tail-p.published >= p.every {
		p.published = p.tail
		ordered.Store(p.shared, p.tail)
	}
	return true
}

// PushSlice writes as many items as there is room for and publishes them at once.
func (p *Producer) PushSlice(items []uint64) int {
	if p.limit-p.tail < uint64(len(items)) {
		p.look()
	}
	n := min(uint64(len(items)), p.limit-p.tail)
	if n == 0 {
		return 0
	}
	ring := unsafe.Slice(p.slots, p.mask+1)
	done := copy(ring[p.tail&p.mask:], items[:n])
	copy(ring, items[done:n])
	p.tail += n
	p.Flush()
	return int(n)
}

// Flush publishes what was kept back. It is to be called before the producer does
// something else than to write.
func (p *Producer) Flush() {
	if p.published != p.tail {
		p.published = p.tail
		ordered.Store(p.shared, p.tail)
	}
}

// look asks how far the consumer is, and says whether there is room. The producer is
// about to wait or to ask again, so nothing is kept back any longer.
func (p *Producer) look() bool {
	head := atomic.LoadUint64(p.peer)
	if p.tail-head > p.mask+1 {
		p.err = ErrCorrupt // the consumer cannot be ahead, nor more than a queue behind
		return false
	}
	p.limit = head + p.mask + 1
	if p.limit == p.tail {
		p.Flush()
		return false
	}
	return true
}

// Err is [ErrCorrupt] if the consumer's index cannot be right.
func (p *Producer) Err() error { return p.err }

// Consumer is the reading end of a queue, as [Producer] is the writing one.
type Consumer struct {
	_         [Block]byte
	slots     *uint64
	mask      uint64
	head      uint64 // the next item
	limit     uint64 // the first item that is not there, as far as is known
	published uint64
	every     uint64
	shared    *uint64
	peer      *uint64
	err       error
	queue     *Queue
	_         [Block]byte
}

// Consumer is the queue's reading end. It goes on where an earlier one ended.
func (q *Queue) Consumer() *Consumer {
	head := atomic.LoadUint64(q.head)
	c := &Consumer{slots: q.slots, mask: q.capacity - 1, head: head, limit: head, published: head,
		every: 1, shared: q.head, peer: q.tail, queue: q}
	if q.kind == Deferred {
		c.every = max(q.capacity/4, 1)
	}
	return c
}

// TryPop reads one item if there is one. When there is none, [Consumer.Err] says whether
// that may change.
func (c *Consumer) TryPop() (v uint64, ok bool) {
	h := c.head
	if h == c.limit && !c.look() {
		return 0, false
	}
	v = *slot(c.slots, c.mask, h)
	c.head = h + 1
	if c.head-c.published >= c.every {
		c.published = c.head
		ordered.Store(c.shared, c.head)
	}
	return v, true
}

// PopSlice reads as many items as there are, up to len(items), and gives their slots
// back at once.
func (c *Consumer) PopSlice(items []uint64) int {
	if c.limit == c.head {
		c.look()
	}
	n := min(uint64(len(items)), c.limit-c.head)
	if n == 0 {
		return 0
	}
	ring := unsafe.Slice(c.slots, c.mask+1)
	done := copy(items[:n], ring[c.head&c.mask:])
	copy(items[done:n], ring)
	c.head += n
	c.release()
	return int(n)
}

func (c *Consumer) release() {
	if c.published != c.head {
		c.published = c.head
		ordered.Store(c.shared, c.head)
	}
}

// look asks how far the producer is, and says whether there is something.
func (c *Consumer) look() bool {
	tail := atomic.LoadUint64(c.peer)
	if tail-c.head > c.mask+1 {
		c.err = ErrCorrupt
		return false
	}
	c.limit = tail
	if tail == c.head {
		c.release()
		return false
	}
	return true
}

// Err is [ErrCorrupt] if the producer's index cannot be right.
func (c *Consumer) Err() error { return c.err }
