package p08rwlock

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/ordered"
)

var errTwice = fail("rdlock", unix.EDEADLK)

// rlockForEver goes on after a reader has set his slot and has found a writer, or that it
// was set.
func (r *FutexReader) rlockForEver(was uint32) error {
	if was != 0 {
		return errTwice
	}
	r.leave()
	return r.rlock(patience{limit: forEver})
}

func (r *FutexReader) rlock(p patience) error {
	if atomic.LoadUint32(r.reading) != 0 {
		return errTwice
	}
	for looks := spinning(0); !r.enter(); {
		if looks.again() {
			continue
		}
		if err := r.lock.m.sleep(&r.lock.m.opened, r.lock.m.open, p); err != nil {
			return err
		}
	}
	return nil
}

// enter takes the lock for reading unless a writer is in or waits.
func (r *FutexReader) enter() bool {
	if !r.lock.m.open() {
		return false
	}
	atomic.SwapUint32(r.reading, reading)
	if !r.lock.m.open() {
		r.leave()
		return false
	}
	r.lock.taken()
	return true
}

// leave takes back that the slot has been set.
func (r *FutexReader) leave() {
	ordered.Store32(r.reading, 0)
	r.tell()
}

// tell wakes the writer who sleeps until readers have left.
func (r *FutexReader) tell() {
	if r.lock.m.left.awaited() {
		r.lock.m.left.happen()
	}
}

// open says whether there is no writer, in or waiting.
func (m *futexLayout) open() bool { return atomic.LoadUint32(&m.writer) == 0 }

// empty says whether no reader is in.
func (m *futexLayout) empty() bool {
	for i := range m.slot[:atomic.LoadUint32(&m.used)] {
		if atomic.LoadUint32(&m.slot[i].reading) != 0 {
			return false
		}
	}
	return true
}

func (l *FutexRWLock) lock(p patience) error {
	m := l.m
	for looks := spinning(0); !atomic.CompareAndSwapUint32(&m.writer, 0, writing); {
		if looks.again() {
			continue
		}
		if err := m.sleep(&m.opened, m.open, p); err != nil {
			return err
		}
	}
	return l.drain(p)
}

// drain waits until the readers have left, after writer has been set.
func (l *FutexRWLock) drain(p patience) error {
	for looks := spinning(-drainLooks); !l.m.empty(); {
		if looks.again() {
			continue
		}
		if err := l.m.sleep(&l.m.left, l.m.empty, p); err != nil {
			l.m.leave()
			return err
		}
	}
	l.taken()
	return nil
}

// leave lets others in after a writer, or after one who wanted to be.
func (m *futexLayout) leave() {
	ordered.Store32(&m.writer, 0)
	if m.opened.awaited() {
		m.opened.happen()
	}
}

// sleep sleeps until the event, unless what is waited for is so already.
func (m *futexLayout) sleep(e *event, already func() bool, p patience) error {
	v := e.announce()
	woken := m.barrier()
	if already() {
		return nil
	}
	if !woken {
		time.Sleep(time.Millisecond)
		return p.over()
	}
	return e.wait(v, p)
}

// spinning counts the looks at a lock before the sleep.
type spinning int

// A lock that is held for nanoseconds is free again soon, so the first look comes at once.
// Who has no luck with it does not go on: two processors that pull at one cache line get
// less done than one that has it to itself. He naps, and nobody has to wake him. But a
// writer for whom all others wait already looks for about as long as a read may take.
const (
	busyLooks  = 1
	drainLooks = 20
	naps       = 8
	nap        = 50 * time.Microsecond
)

// again says whether to look again, when it is time to.
func (s *spinning) again() bool {
	*s++
	switch {
	case *s <= busyLooks:
		ordered.Pause()
	case *s <= busyLooks+naps:
		time.Sleep(nap)
	default:
		*s = 0
		return false
	}
	return true
}
