package p15spsc

import (
	"fmt"

	"unpipc/gobind/ordered"
)

// slice is how many items the kind Batched moves at once.
const slice = 64

// turn is what a side does while it waits: it spins for a moment, then lets others run,
// and now and then looks whether it is worth waiting.
type turn struct {
	tries  uint32
	pauses int          // after each look, see pausesOf
	yield  func()       // let others run
	check  func() error // why to give up; nil: wait on
}

const (
	spins  = 16      // some tens of microseconds
	checks = 1 << 12 // some milliseconds, or more where others run
)

// pausesOf is how many pauses there should be between two looks at the other side's
// index. By the next one many items must have come, or gone: who looks after each takes
// the line with the index from the other side each time. It must not be all, or that one
// would have to wait.
func pausesOf(capacity uint64) int { return int(min(max(capacity/128, 4), 32)) }

func (w *turn) wait() error {
	w.tries++
	if w.tries%spins != 0 {
		for range w.pauses {
			ordered.Pause()
		}
		return nil
	}
	w.yield()
	if w.tries%checks != 0 {
		return nil
	}
	return w.check()
}

// produce writes the items first, first+1, … up to but without last.
func produce(q *Queue, first, last uint64, w *turn) error {
	w.pauses = pausesOf(q.capacity)
	switch q.kind {
	case Naive, Padded:
		for n := first; n < last; n++ {
			for !q.simplePush(n) {
				if err := w.wait(); err != nil {
					return err
				}
			}
		}
		return nil
	case Mutex:
		m, err := q.mutexQueue()
		if err != nil {
			return err
		}
		return pushAll(m.push, first, last, w)
	case Sem:
		s, err := q.semQueue()
		if err != nil {
			return err
		}
		return pushAll(s.push, first, last, w)
	}
	p := q.Producer()
	defer p.Flush()
	if q.kind == Batched {
		return pushSlices(p, first, last, w)
	}
	for n := first; n < last; n++ {
		for !p.Ready() {
			if p.err != nil {
				return p.err
			}
			if err := w.wait(); err != nil {
				return err
			}
		}
		p.Put(n)
	}
	return nil
}

func pushAll(push func(uint64) (bool, error), first, last uint64, w *turn) error {
	for n := first; n < last; {
		ok, err := push(n)
		if err != nil {
			return err
		}
		if ok {
			n++
		} else if err := w.check(); err != nil {
			return err
		}
	}
	return nil
}

func pushSlices(p *Producer, first, last uint64, w *turn) error {
	var items [slice]uint64
	for n := first; n < last; {
		some := items[:min(slice, last-n)]
		for i := range some {
			some[i] = n + uint64(i)
		}
		n += uint64(len(some))
		for len(some) > 0 {
			done := p.PushSlice(some)
			some = some[done:]
			if done > 0 {
				continue
			}
			if p.err != nil {
				return p.err
			}
			if err := w.wait(); err != nil {
				return err
			}
		}
	}
	return nil
}

// consume reads the items first, first+1, … up to but without last, and compares each.
func consume(q *Queue, first, last uint64, w *turn) error {
	w.pauses = pausesOf(q.capacity)
	switch q.kind {
	case Naive, Padded:
		for n := first; n < last; {
			if v, ok := q.simplePop(); !ok {
				if err := w.wait(); err != nil {
					return err
				}
			} else if v != n {
				return wrong(v, n)
			} else {
				n++
			}
		}
		return nil
	case Mutex:
		m, err := q.mutexQueue()
		if err != nil {
			return err
		}
		return popAll(m.pop, first, last, w)
	case Sem:
		s, err := q.semQueue()
		if err != nil {
			return err
		}
		return popAll(s.pop, first, last, w)
	}
	c := q.Consumer()
	defer c.publish()
	if q.kind == Batched {
		return popSlices(c, first, last, w)
	}
	for n := first; n < last; {
		if !c.Ready() {
			if c.err != nil {
				return c.err
			}
			if err := w.wait(); err != nil {
				return err
			}
		} else if v := c.Take(); v != n {
			return wrong(v, n)
		} else {
			n++
		}
	}
	return nil
}

func wrong(got, want uint64) error { return fmt.Errorf("item %d instead of %d", got, want) }

func popAll(pop func() (uint64, bool, error), first, last uint64, w *turn) error {
	for n := first; n < last; {
		v, ok, err := pop()
		switch {
		case err != nil:
			return err
		case !ok:
			if err := w.check(); err != nil {
				return err
			}
		case v != n:
			return wrong(v, n)
		default:
			n++
		}
	}
	return nil
}

func popSlices(c *Consumer, first, last uint64, w *turn) error {
	var items [slice]uint64
	for n := first; n < last; {
		done := c.PopSlice(items[:min(slice, last-n)])
		if done == 0 {
			if c.err != nil {
				return c.err
			}
			if err := w.wait(); err != nil {
				return err
			}
		}
		for _, v := range items[:done] {
			if v != n {
				return wrong(v, n)
			}
			n++
		}
	}
	return nil
}
