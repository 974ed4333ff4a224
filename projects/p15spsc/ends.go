package p15spsc

import (
	"sync/atomic"
	"unsafe"

	"unpipc/gobind/ordered"
)

// end is an end of a queue of the kinds Cached, Deferred and Batched. It must be used by
// one goroutine at a time. It keeps its own index, and looks at the other side's only when
// what it knows of it is used up.
type end struct {
	_         [Block]byte // apart from whatever lies beside it
	slots     *uint64
	mask      uint64
	own       uint64 // the next item
	stop      uint64 // up to where nothing but moving is to be done; not beyond limit
	limit     uint64 // the first item that cannot be moved, as far as is known
	published uint64 // what the other side has been told of
	every     uint64 // how many items may be kept from it
	shared    *uint64
	peer      *uint64
	err       error
	queue     *Queue
	_         [Block]byte
}

// newEnd goes on where an earlier one ended.
func (q *Queue) newEnd(shared, peer *uint64) end {
	own := atomic.LoadUint64(shared)
	e := end{slots: q.slots, mask: q.capacity - 1, own: own, stop: own, limit: own, published: own,
		every: 1, shared: shared, peer: peer, queue: q}
	if q.kind == Deferred {
		e.every = max(q.capacity/4, 1)
	}
	return e
}

// publish tells the other side of all that was kept from it.
func (e *end) publish() {
	if e.published != e.own {
		e.published = e.own
		ordered.Store(e.shared, e.own)
	}
}

// look asks how far the other side is, and says whether there is something to move; ahead
// is how many more items than the other side has moved may be. This side is about to wait
// or to ask again, so nothing is kept back any longer.
func (e *end) look(ahead uint64) bool {
	limit := atomic.LoadUint64(e.peer) + ahead
	if limit-e.own > e.mask+1 {
		e.err = ErrCorrupt // the consumer cannot be ahead, nor more than a queue behind
		return false
	}
	e.limit, e.stop = limit, e.own
	if limit == e.own {
		e.publish()
		return false
	}
	return true
}

// stretch is how many items are moved between two stops: sixteen cache lines. They have to
// come from the other side's CPU. One after the other that costs more than all else, so
// they are fetched together.
const stretch = 128

// goOn sets the next stop, and says where the slots up to there are, as far as they lie
// in one piece. There must be something to move.
func (e *end) goOn() (first *byte, bytes int) {
	n := min(e.limit-e.own, stretch)
	e.stop = e.own + n
	n = min(n, e.mask+1-e.own&e.mask)
	return (*byte)(unsafe.Pointer(slot(e.slots, e.mask, e.own))), int(n * slotBytes)
}

// ahead says where the next n slots are that items may be moved in, as far as they lie in
// one piece.
func (e *end) ahead(n uint64) (first *byte, bytes int) {
	n = min(n, e.limit-e.own, e.mask+1-e.own&e.mask)
	return (*byte)(unsafe.Pointer(slot(e.slots, e.mask, e.own))), int(n * slotBytes)
}

// movedSlice is what follows a slice of n items.
func (e *end) movedSlice(n uint64) {
	e.own += n
	e.stop = e.own
	e.publish()
}

// Err is [ErrCorrupt] if the other side's index cannot be right.
func (e *end) Err() error { return e.err }

// Producer is the writing end of a queue of the kinds Cached, Deferred and Batched. It
// must be used by one goroutine at a time, and there must be one only.
type Producer struct{ end }

// Producer is the queue's writing end. It goes on where an earlier one ended.
func (q *Queue) Producer() *Producer { return &Producer{q.newEnd(q.tail, q.head)} }

// look asks for room.
func (p *Producer) look() bool { return p.end.look(p.mask + 1) }

// TryPush writes one item if there is room. When there is none, Err says whether that may
// change.
func (p *Producer) TryPush(v uint64) bool {
	if !p.Ready() {
		return false
	}
	p.Put(v)
	return true
}

// Ready says whether there is room for an item. Ready and [Producer.Put] are TryPush in
// two steps that the compiler inlines, where for both together it makes a call.
func (p *Producer) Ready() bool { return p.own != p.stop || p.more() }

// Put writes one item. Ready must have said that there is room for it.
func (p *Producer) Put(v uint64) {
	*slot(p.slots, p.mask, p.own) = v
	if p.own++; p.own-p.published >= p.every {
		p.published = p.own
		ordered.Store(p.shared, p.own)
	}
}

// more is the rare part of Ready.
func (p *Producer) more() bool {
	if p.own == p.limit && !p.look() {
		return false
	}
	ordered.PrefetchWrite(p.goOn())
	return true
}

// PushSlice writes as many items as there is room for and publishes them at once.
func (p *Producer) PushSlice(items []uint64) int {
	if p.limit-p.own < uint64(len(items)) {
		p.look()
	}
	n := min(uint64(len(items)), p.limit-p.own)
	if n == 0 {
		return 0
	}
	ring := unsafe.Slice(p.slots, p.mask+1)
	done := copy(ring[p.own&p.mask:], items[:n])
	copy(ring, items[done:n])
	p.movedSlice(n)
	if p.own != p.limit {
		ordered.PrefetchWrite(p.ahead(n))
	}
	return int(n)
}

// Flush publishes what was kept back. It is to be called before the producer does
// something else than to write.
func (p *Producer) Flush() { p.publish() }

// Consumer is the reading end of a queue, as [Producer] is the writing one.
type Consumer struct{ end }

// Consumer is the queue's reading end. It goes on where an earlier one ended.
func (q *Queue) Consumer() *Consumer { return &Consumer{q.newEnd(q.head, q.tail)} }

// TryPop reads one item if there is one. When there is none, Err says whether that may
// change.
func (c *Consumer) TryPop() (v uint64, ok bool) {
	if !c.Ready() {
		return 0, false
	}
	return c.Take(), true
}

// Ready says whether there is an item. Ready and [Consumer.Take] are TryPop in two steps
// that the compiler inlines.
func (c *Consumer) Ready() bool { return c.own != c.stop || c.more() }

// Take reads one item. Ready must have said that there is one.
func (c *Consumer) Take() uint64 {
	v := *slot(c.slots, c.mask, c.own)
	if c.own++; c.own-c.published >= c.every {
		c.published = c.own
		ordered.Store(c.shared, c.own)
	}
	return v
}

// more is the rare part of Ready.
func (c *Consumer) more() bool {
	if c.own == c.limit && !c.look(0) {
		return false
	}
	ordered.Prefetch(c.goOn())
	return true
}

// PopSlice reads as many items as there are, up to len(items), and gives their slots
// back at once.
func (c *Consumer) PopSlice(items []uint64) int {
	if c.limit == c.own {
		c.look(0)
	}
	n := min(uint64(len(items)), c.limit-c.own)
	if n == 0 {
		return 0
	}
	ring := unsafe.Slice(c.slots, c.mask+1)
	done := copy(items[:n], ring[c.own&c.mask:])
	copy(items[done:n], ring)
	c.movedSlice(n)
	if c.own != c.limit {
		ordered.Prefetch(c.ahead(n))
	}
	return int(n)
}
