package p15spsc

import (
	"github.com/HdrHistogram/hdrhistogram-go"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/ticks"
)

// produceTimed writes items as produce does, but at most one in each so many
// nanoseconds, and times each write into a queue that has room: the cost to the
// producer, while the consumer reads. What reading the time itself takes is left out.
func produceTimed(q *Queue, first, last uint64, every float64, w *turn) (*hdrhistogram.Histogram, error) {
	push, p, err := q.pusher()
	if err != nil {
		return nil, err
	}
	if p != nil {
		defer p.Flush()
	}
	times := measure.NewTimes()
	if first == last {
		return times, nil
	}
	rate, cost := ticks.PerNanosecond(), ticks.Cost()
	step := uint64(every * rate)
	for n, next := first, ticks.Now(); n < last; n++ {
		for q.Len() == q.Capacity() {
			if err := w.wait(); err != nil {
				return nil, err
			}
		}
		start := ticks.Now()
		for start < next {
			start = ticks.Now()
		}
		next = start + step
		for {
			var end uint64
			var ok bool
			if p != nil { // called directly, as a program would
				start = ticks.Now()
				if ok = p.Ready(); ok {
					p.Put(n)
				}
				end = ticks.Now()
				err = p.err
			} else {
				start = ticks.Now()
				ok, err = push(n)
				end = ticks.Now()
			}
			if err != nil {
				return nil, err
			}
			if ok {
				// Negative when this thread has changed its CPU meanwhile.
				took := float64(max(0, int64(end-start-cost))) / rate
				if err := times.RecordValue(max(1, int64(took+0.5))); err != nil {
					return nil, err
				}
				break
			}
			if err := w.wait(); err != nil {
				return nil, err
			}
		}
	}
	return times, nil
}

// prepareTimes finds out once what produceTimed must know of the clock, in 20 ms.
func prepareTimes() { _, _ = ticks.PerNanosecond(), ticks.Cost() }

// pusher writes one item to a queue of any kind; a slice is of one item then. Where it
// is a Producer's that comes back instead.
func (q *Queue) pusher() (push func(uint64) (bool, error), p *Producer, err error) {
	switch q.kind {
	case Naive, Padded:
		return func(v uint64) (bool, error) { return q.simplePush(v), nil }, nil, nil
	case Mutex:
		m, err := q.mutexQueue()
		return m.push, nil, err
	case Sem:
		s, err := q.semQueue()
		return s.push, nil, err
	}
	return nil, q.Producer(), nil
}
