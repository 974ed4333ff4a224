package p08rwlock

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread"
)

// patience is how long somebody waits.
type patience struct {
	limit limit
	end   time.Time // of untilTime by the real-time clock, of forAWhile by the monotonic one
	ctx   context.Context
}

type limit int

const (
	never limit = iota
	forEver
	untilTime
	forAWhile
	untilDone
)

// Of those who need not say more. They are in one place because to lay one down for each call
// would take longer than the mutex does.
var (
	ever = &patience{limit: forEver}
	once = &patience{limit: never}
)

func within(d time.Duration) patience { return patience{limit: forAWhile, end: time.Now().Add(d)} }

// sleep waits at a condition variable. errLost comes without the mutex, see entered.
func (l *RWLock) sleep(c *pthread.Cond, p *patience) error {
	var err error
	switch p.limit {
	case untilTime:
		err = c.WaitBy(l.mutex, p.end)
	case forAWhile:
		err = c.WaitFor(l.mutex, time.Until(p.end))
	case untilDone:
		err = c.WaitContext(p.ctx, l.mutex)
	default:
		err = c.Wait(l.mutex)
	}
	if err = l.entered(err); p.limit != untilDone && errors.Is(err, unix.ETIMEDOUT) {
		return fail("timedlock", unix.ETIMEDOUT)
	}
	return err
}

var errLost = fail("lock", unix.ENOTRECOVERABLE)

func (l *RWLock) enter() error { return l.entered(l.mutex.Lock()) }

// entered looks at how the mutex was locked. The counts of a process that died between
// two stores are worth nothing, and nobody knows which: all who wait are told, and the
// mutex is given up for good. errLost comes without the mutex, other errors with it.
func (l *RWLock) entered(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EOWNERDEAD):
		for _, c := range l.conds() {
			_ = c.Broadcast()
		}
		_ = l.mutex.Unlock()
		return errLost
	case errors.Is(err, unix.ENOTRECOVERABLE):
		return errLost
	}
	return err
}

// acquire takes the lock.
func (l *RWLock) acquire(kind Kind, p *patience) error {
	if err := l.mutex.Lock(); err != nil {
		return l.entered(err)
	}
	var err error
	switch {
	case l.may(kind, false):
		l.take(kind)
	case p.limit == never:
		err = fail("try", unix.EBUSY)
	default:
		if l.m.policy == Fair {
			err = l.queue(kind, p)
		} else {
			err = l.prefer(kind, p)
		}
		if err == errLost {
			return err
		}
		if err != nil {
			l.wake() // others may have waited for this one only
		}
	}
	if unlockErr := l.mutex.Unlock(); err == nil {
		err = unlockErr
	}
	return err
}

func (l *RWLock) release(kind Kind) error {
	if err := l.mutex.Lock(); err != nil {
		return l.entered(err)
	}
	var err error
	switch {
	case kind == Reader && l.m.readers == 0, kind == Writer && l.m.writer == 0:
		err = fail("unlock", unix.EPERM)
	case kind == Reader:
		l.m.readers--
		l.wake()
	default:
		l.m.writer = 0
		l.wake()
	}
	if unlockErr := l.mutex.Unlock(); err == nil {
		err = unlockErr
	}
	return err
}

// may says whether one who comes now, or who waits, can have the lock. A writer who comes
// does not overtake those who wait; he who waits does not stand in his own way.
func (l *RWLock) may(kind Kind, waits bool) bool {
	m := l.m
	if m.writer != 0 || kind == Writer && (m.readers > 0 || !waits && m.waiting[Writer] > 0) {
		return false
	}
	switch m.policy {
	case PreferReader:
		return kind == Reader || m.waiting[Reader] == 0
	case PreferWriter:
		return kind == Writer || m.waiting[Writer] == 0
	}
	return waits || m.head == nobody
}

func (l *RWLock) take(kind Kind) {
	if kind == Reader {
		l.m.readers++
	} else {
		l.m.writer = 1
	}
}

// prefer waits with a preference, for readers or for writers; the lock is taken at nil.
func (l *RWLock) prefer(kind Kind, p *patience) error {
	c := l.readable
	if kind == Writer {
		c = l.writable
	}
	var err error
	l.m.waiting[kind]++
	for { // at least once: he must not overtake
		if err = l.sleep(c, p); err == errLost {
			return err
		}
		if err != nil || l.may(kind, true) {
			break
		}
	}
	l.m.waiting[kind]--
	if !l.may(kind, true) {
		return err
	}
	l.take(kind) // maybe in the last moment
	return nil
}

// wake wakes those who may have the lock now.
func (l *RWLock) wake() {
	if waiting := &l.m.waiting; waiting[Reader]|waiting[Writer] != 0 {
		l.wakeSome()
	}
}

func (l *RWLock) wakeSome() {
	switch m := l.m; {
	case m.policy == Fair:
		l.grant()
	case m.waiting[Reader] > 0 && l.may(Reader, true):
		_ = l.readable.Broadcast() // fails only where there is no condition variable
	case m.waiting[Writer] > 0 && l.may(Writer, true):
		_ = l.writable.Signal()
	}
}
