package p15spsc

import "sync/atomic"

// The kinds Naive and Padded are what one writes first: both indices are read from
// memory each time, and every access is sequentially consistent. They differ only in
// where the head is.

func (q *Queue) simplePush(v uint64) bool {
	tail := atomic.LoadUint64(q.tail)
	if tail-atomic.LoadUint64(q.head) >= q.capacity {
		return false
	}
	*slot(q.slots, q.capacity-1, tail) = v
	atomic.StoreUint64(q.tail, tail+1)
	return true
}

func (q *Queue) simplePop() (uint64, bool) {
	head := atomic.LoadUint64(q.head)
	if atomic.LoadUint64(q.tail) == head {
		return 0, false
	}
	v := *slot(q.slots, q.capacity-1, head)
	atomic.StoreUint64(q.head, head+1)
	return v, true
}
