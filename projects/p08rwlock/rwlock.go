package p08rwlock

import (
	"context"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread"
)

// RWLock is a read-write lock made of one mutex and condition variables. It may be used
// by several goroutines, and by other processes, at once. It has no owner: any goroutine
// may unlock it.
type RWLock struct {
	m                  *layout
	mutex              *pthread.Mutex
	readable, writable *pthread.Cond
	turn               [turns]*pthread.Cond
	own                []byte // memory of New
}

// Attr says what lock to make.
type Attr struct {
	Policy Policy
	Shared bool // between processes
}

// Init makes a lock in memory, which must not be the Go heap. One process makes it, the
// others find it by [At].
// Errors: EINVAL (no such policy; memory that is too small or not aligned).
func Init(memory []byte, attr Attr) (*RWLock, error) {
	m, err := at(memory)
	if err != nil {
		return nil, err
	}
	if policies[attr.Policy] == "" {
		return nil, fail("init", unix.EINVAL)
	}
	*m = layout{policy: attr.Policy, head: nobody, tail: nobody, free: nobody}
	// Between processes the mutex tells when one has died with it.
	_, err = pthread.InitMutex(m.mutex[:], pthread.MutexAttr{Shared: attr.Shared, Robust: attr.Shared})
	conds := [][]byte{m.readable[:], m.writable[:]}
	for i := range m.turn {
		conds = append(conds, m.turn[i][:])
	}
	for _, memory := range conds {
		if err == nil {
			_, err = pthread.InitCond(memory, pthread.CondAttr{Shared: attr.Shared})
		}
	}
	if err != nil {
		return nil, err
	}
	atomic.StoreUint32(&m.magic, magic)
	return At(memory)
}

// At is the lock that was made in this memory. Error: EINVAL, as for [Init], and if there
// is none.
func At(memory []byte) (*RWLock, error) {
	m, err := at(memory)
	if err != nil {
		return nil, err
	}
	if atomic.LoadUint32(&m.magic) != magic || policies[m.policy] == "" {
		return nil, fail("init", unix.EINVAL)
	}
	l := &RWLock{m: m}
	// These fail only where the memory does not fit, and it does.
	l.mutex, _ = pthread.MutexAt(m.mutex[:])
	l.readable, _ = pthread.CondAt(m.readable[:])
	l.writable, _ = pthread.CondAt(m.writable[:])
	for i := range l.turn {
		l.turn[i], _ = pthread.CondAt(m.turn[i][:])
	}
	return l, nil
}

// New makes a lock for this process alone, in memory that [RWLock.Destroy] frees.
// Errors: EINVAL (no such policy), ENOMEM.
func New(policy Policy) (*RWLock, error) {
	memory, err := unix.Mmap(-1, 0, Size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	l, err := Init(memory, Attr{Policy: policy})
	if err != nil {
		_ = unix.Munmap(memory)
		return nil, err
	}
	l.own = memory
	return l, nil
}

// Destroy ends a lock that nobody holds or waits for. Error: EBUSY.
func (l *RWLock) Destroy() error {
	if err := l.enter(); err != nil {
		return err
	}
	busy := l.m.readers+l.m.writer+l.m.waiting[Reader]+l.m.waiting[Writer] > 0
	if err := l.mutex.Unlock(); err != nil {
		return err
	}
	if busy {
		return fail("destroy", unix.EBUSY)
	}
	atomic.StoreUint32(&l.m.magic, 0)
	for _, c := range l.conds() {
		if err := c.Destroy(); err != nil {
			return err
		}
	}
	if err := l.mutex.Destroy(); err != nil || l.own == nil {
		return err
	}
	own := l.own
	l.m, l.own = nil, nil
	return os.NewSyscallError("munmap", unix.Munmap(own))
}

func (l *RWLock) conds() []*pthread.Cond {
	return append([]*pthread.Cond{l.readable, l.writable}, l.turn[:]...)
}

// Policy is what the lock was made with.
func (l *RWLock) Policy() Policy { return l.m.policy }

// State is a lock at one moment.
type State struct {
	Readers, Writers               int // hold it
	WaitingReaders, WaitingWriters int
}

// State is how the lock is just now. Error: ENOTRECOVERABLE.
func (l *RWLock) State() (State, error) {
	if err := l.enter(); err != nil {
		return State{}, err
	}
	s := State{int(l.m.readers), int(l.m.writer), int(l.m.waiting[Reader]), int(l.m.waiting[Writer])}
	return s, l.mutex.Unlock()
}

// RLock takes the lock for reading, together with other readers.
// Errors: EAGAIN (more than 1024 wait at a fair lock), ENOTRECOVERABLE (a process died
// inside this package; the lock is lost). All forms that wait have these.
func (l *RWLock) RLock() error { return l.acquire(Reader, ever) }

// Lock takes the lock for writing, alone.
func (l *RWLock) Lock() error { return l.acquire(Writer, ever) }

// TryRLock is [RWLock.RLock] without waiting: EBUSY.
func (l *RWLock) TryRLock() error { return l.acquire(Reader, once) }

// TryLock is [RWLock.Lock] without waiting: EBUSY.
func (l *RWLock) TryLock() error { return l.acquire(Writer, once) }

// RLockBy is [RWLock.RLock] with a limit: ETIMEDOUT at the deadline, a time of the
// real-time clock, which may be set meanwhile. A lock that is free is taken whatever the
// time.
func (l *RWLock) RLockBy(deadline time.Time) error {
	return l.acquire(Reader, &patience{limit: untilTime, end: deadline})
}

// LockBy is [RWLock.Lock] with a limit, see [RWLock.RLockBy].
func (l *RWLock) LockBy(deadline time.Time) error {
	return l.acquire(Writer, &patience{limit: untilTime, end: deadline})
}

// RLockFor is [RWLock.RLock] with a limit: ETIMEDOUT when d has passed by the monotonic
// clock.
func (l *RWLock) RLockFor(d time.Duration) error {
	p := within(d)
	return l.acquire(Reader, &p)
}

// LockFor is [RWLock.Lock] with a limit, see [RWLock.RLockFor].
func (l *RWLock) LockFor(d time.Duration) error {
	p := within(d)
	return l.acquire(Writer, &p)
}

// RLockContext is [RWLock.RLock] until ctx ends; its error is the context's cause.
func (l *RWLock) RLockContext(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return l.acquire(Reader, &patience{limit: untilDone, ctx: ctx})
}

// LockContext is [RWLock.Lock] until ctx ends; its error is the context's cause.
func (l *RWLock) LockContext(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return l.acquire(Writer, &patience{limit: untilDone, ctx: ctx})
}

// RUnlock gives back the lock taken for reading. Errors: EPERM (no reader holds it),
// ENOTRECOVERABLE.
func (l *RWLock) RUnlock() error { return l.release(Reader) }

// Unlock gives back the lock taken for writing. Errors: EPERM (no writer holds it),
// ENOTRECOVERABLE.
func (l *RWLock) Unlock() error { return l.release(Writer) }

func fail(call string, errno syscall.Errno) error {
	return os.NewSyscallError("rwlock_"+call, errno)
}
