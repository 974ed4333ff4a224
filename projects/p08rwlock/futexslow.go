package p08rwlock

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// rlockForEver goes on after a reader has counted himself in and has found the word v.
func (l *FutexRWLock) rlockForEver(v uint32) error {
	if l.stay(v) {
		l.taken()
		return nil
	}
	return l.rlock(patience{limit: forEver})
}

// stay lets a reader who has counted himself in wait for the writer to leave: no other one
// can get in before him. Unless that happens at once he is counted out. So he is where the
// door is closed, as a writer sleeps until there are no readers.
func (l *FutexRWLock) stay(v uint32) bool {
	for looks := spinning(0); v&writing != 0 && v&closed == 0 && looks < busyLooks; v = atomic.LoadUint32(l.word) {
		looks.again()
	}
	if v < closed {
		return true
	}
	l.uncount()
	return false
}

// uncount takes back that a reader has counted himself in.
func (l *FutexRWLock) uncount() {
	if v := atomic.AddUint32(l.word, ^uint32(0)); v >= sleepers {
		_ = l.readerLeft(v)
	}
}

func (l *FutexRWLock) lockForEver() error { return l.lock(patience{limit: forEver}) }

func (l *FutexRWLock) rlock(p patience) error {
	for looks := spinning(0); ; {
		v := atomic.LoadUint32(l.word)
		if v < closed {
			if l.stay(atomic.AddUint32(l.word, 1)) {
				l.taken()
				return nil
			}
			continue
		}
		if looks.again() {
			continue
		}
		if v&sleepers == 0 && !atomic.CompareAndSwapUint32(l.word, v, v|sleepers) {
			continue
		}
		if err := l.wait(v|sleepers, readersOnly, p); err != nil {
			return err
		}
	}
}

func (l *FutexRWLock) lock(p patience) error {
	for looks := spinning(0); ; {
		v := atomic.LoadUint32(l.word)
		if v&(writing|readers) == 0 {
			// Whoever had closed the door finds it open when he wakes up, and closes it again.
			if atomic.CompareAndSwapUint32(l.word, v, v&^closed|writing) {
				l.taken()
				return nil
			}
			continue
		}
		if looks.again() {
			continue
		}
		shut := v | sleepers | closed
		if v != shut && !atomic.CompareAndSwapUint32(l.word, v, shut) {
			continue
		}
		if err := l.wait(shut, writersOnly, p); err != nil {
			l.open()
			return err
		}
	}
}

// readerLeft is what a reader has to do who left behind the word v, in which there is
// more than readers: the last one wakes who sleeps.
func (l *FutexRWLock) readerLeft(v uint32) error {
	for {
		switch {
		case v&readers == readers: // there was none to take away
			atomic.AddUint32(l.word, 1)
			return fail("unlock", unix.EPERM)
		case v&(readers|writing|sleepers) != sleepers:
			return nil
		case v&closed != 0:
			// The door stays closed, and the bit set, for the readers who sleep.
			l.wake(writersOnly)
			return nil
		case atomic.CompareAndSwapUint32(l.word, v, v&^sleepers):
			l.wake(both)
			return nil
		}
		v = atomic.LoadUint32(l.word)
	}
}

// writerLeft is what a writer has to do who left behind the word v, in which there is more
// than readers: he opens the door and wakes who sleeps.
func (l *FutexRWLock) writerLeft(v uint32) error {
	if v&writing != 0 { // there was none to take away
		atomic.AddUint32(l.word, writing)
		return fail("unlock", unix.EPERM)
	}
	l.open()
	return nil
}

// open opens the door and wakes who sleeps; a writer that has to sleep again closes it again.
func (l *FutexRWLock) open() {
	for {
		v := atomic.LoadUint32(l.word)
		if v&(closed|sleepers) == 0 {
			return
		}
		if atomic.CompareAndSwapUint32(l.word, v, v&^(closed|sleepers)) {
			l.wake(both)
			return
		}
	}
}

// spinning counts the looks at a lock before the sleep.
type spinning int

// A lock that is held for nanoseconds is free again soon, so the first looks come at once.
// Who has no luck with them does not go on: two processors that pull at one cache line get
// less done than one that has it to itself. He naps, and nobody has to wake him.
const (
	busyLooks = 3
	naps      = 2
	nap       = 50 * time.Microsecond
)

// again says whether to look again, when it is time to.
func (s *spinning) again() bool {
	*s++
	switch {
	case *s <= busyLooks:
		for range 30 {
		}
	case *s <= busyLooks+naps:
		time.Sleep(nap)
	default:
		*s = 0
		return false
	}
	return true
}
