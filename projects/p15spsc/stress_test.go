package p15spsc

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errHung = errors.New("no end within a minute")

func patientTurns() *turn {
	deadline := time.Now().Add(time.Minute)
	return &turn{yield: yieldBoth, check: func() error {
		if time.Now().After(deadline) {
			return errHung
		}
		return nil
	}}
}

// stress lets two goroutines move items through q, every one compared.
func stress(q *Queue, items uint64, produce func(*Queue, uint64, uint64, *turn) error,
	consume func(*Queue, uint64, uint64, *turn) error) error {
	produced := make(chan error)
	go func() { produced <- produce(q, 0, items, patientTurns()) }()
	err := consume(q, 0, items, patientTurns())
	if err != nil {
		// The producer is not to wait for one who has stopped.
		atomic.StoreUint64(q.head, 1<<63)
	}
	if producedErr := <-produced; err == nil {
		err = producedErr
	}
	return err
}

func TestEveryItemArrivesOnceAndInOrder(t *testing.T) {
	for kind := Naive; kind < Mutex; kind++ {
		for _, capacity := range []int{1, 2, 16, 4096} {
			// On a busy machine a queueful may cost a turn of the scheduler.
			items := min(100*uint64(capacity), 50_000)
			require.NoError(t, stress(newQueue(t, capacity, kind), items, produce, consume), "%v %d", kind, capacity)
		}
	}
}

func TestQueuesWithLocksCarryTheSame(t *testing.T) {
	for _, kind := range []Kind{Mutex, Sem} {
		for _, capacity := range []int{1, 64} {
			s, err := (&job{kind: kind, capacity: capacity, items: 2_000}).within(t.Context())
			require.NoError(t, err)
			assert.Equal(t, int64(2_000), s.Verified)
		}
	}
}

// What a missing barrier does on a processor that reorders, done here by hand, so that
// it is known that the stress would see it: once in a while the other side runs in
// between.
func TestTheStressSeesReorderingInEitherSide(t *testing.T) {
	early := func(q *Queue, first, last uint64, w *turn) error {
		for n := first; n < last; n++ {
			for n-atomic.LoadUint64(q.head) >= q.capacity {
				if err := w.wait(); err != nil {
					return err
				}
				if atomic.LoadUint64(q.head) >= 1<<62 {
					return nil
				}
			}
			atomic.StoreUint64(q.tail, n+1) // before the item is there
			if n%8 == 7 {
				time.Sleep(time.Microsecond)
			}
			atomic.StoreUint64(slot(q.slots, q.capacity-1, n), n)
		}
		return nil
	}
	late := func(q *Queue, first, last uint64, w *turn) error {
		for n := first; n < last; n++ {
			for atomic.LoadUint64(q.tail) == n {
				if err := w.wait(); err != nil {
					return err
				}
			}
			atomic.StoreUint64(q.head, n+1) // before the item is read
			if n%8 == 7 {
				time.Sleep(time.Microsecond)
			}
			if v := atomic.LoadUint64(slot(q.slots, q.capacity-1, n)); v != n {
				return wrong(v, n)
			}
		}
		return nil
	}
	read := func(q *Queue, first, last uint64, w *turn) error {
		for n := first; n < last; {
			if atomic.LoadUint64(q.tail) == n {
				if err := w.wait(); err != nil {
					return err
				}
				continue
			}
			if v := atomic.LoadUint64(slot(q.slots, q.capacity-1, n)); v != n {
				return wrong(v, n)
			}
			n++
			atomic.StoreUint64(q.head, n)
		}
		return nil
	}
	write := func(q *Queue, first, last uint64, w *turn) error {
		for n := first; n < last; n++ {
			for n-atomic.LoadUint64(q.head) >= q.capacity {
				if err := w.wait(); err != nil {
					return err
				}
				if atomic.LoadUint64(q.head) >= 1<<62 {
					return nil
				}
			}
			atomic.StoreUint64(slot(q.slots, q.capacity-1, n), n)
			atomic.StoreUint64(q.tail, n+1)
		}
		return nil
	}
	const items = 1_000_000
	assert.ErrorContains(t, stress(newQueue(t, 1, Padded), items, early, read), "instead of")
	assert.ErrorContains(t, stress(newQueue(t, 1, Padded), items, write, late), "instead of")
	assert.NoError(t, stress(newQueue(t, 1, Padded), 200, write, read), "the two that are right")
}
