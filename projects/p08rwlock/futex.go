package p08rwlock

import (
	"context"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// FutexRWLock is a read-write lock in one 32-bit word, for comparison: what can be had
// without a mutex and condition variables. Memory that is zero is a lock that is free.
// Who finds it taken looks again a few times, naps, and then sleeps in the kernel until he
// is woken, see futex(2). It may be shared between processes.
//
// Nobody stands in a queue. A writer that goes to sleep closes the door to new readers, a
// writer that leaves opens it; so neither kind can keep the other out as long as all of
// them sleep now and then, but no order is promised.
//
//	bit  31      30      29        28…0
//	    writer  closed  sleepers  readers
//
// Readers count themselves in before they look: the one atomic addition is all that a
// reader does where there is no writer. One who finds a writer may count himself out
// again, so the count may be too high for a moment, never too low.
type FutexRWLock struct {
	word *uint32
	own  []byte // memory of NewFutex
}

const (
	writing  = 1 << 31 // held for writing
	closed   = 1 << 30 // to new readers, for the sake of a writer that sleeps
	sleepers = 1 << 29 // somebody sleeps, or did
	readers  = sleepers - 1
)

// FutexSize is how many bytes of memory the lock takes; its address must be a multiple of
// that.
const FutexSize = 4

// FutexAt is the lock in this memory, which must not be the Go heap.
// Error: EINVAL (memory that is too small or not aligned).
func FutexAt(memory []byte) (*FutexRWLock, error) {
	addr := unsafe.Pointer(unsafe.SliceData(memory))
	if len(memory) < FutexSize || uintptr(addr)%FutexSize != 0 {
		return nil, fail("init", unix.EINVAL)
	}
	return &FutexRWLock{word: (*uint32)(addr)}, nil
}

// NewFutex makes a lock in memory of its own, which [FutexRWLock.Destroy] frees.
// Error: ENOMEM.
func NewFutex() (*FutexRWLock, error) {
	memory, err := unix.Mmap(-1, 0, FutexSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	l, err := FutexAt(memory)
	if err == nil {
		l.own = memory
	}
	return l, err
}

// Destroy frees the memory of a lock made by [NewFutex]. Error: EBUSY (it is held).
func (l *FutexRWLock) Destroy() error {
	if atomic.LoadUint32(l.word)&(writing|readers) != 0 {
		return fail("destroy", unix.EBUSY)
	}
	if l.own == nil {
		return nil
	}
	own := l.own
	l.word, l.own = nil, nil
	return os.NewSyscallError("munmap", unix.Munmap(own))
}

// RLock takes the lock for reading, together with other readers.
func (l *FutexRWLock) RLock() error {
	if v := atomic.AddUint32(l.word, 1); v >= closed {
		return l.rlockForEver(v)
	}
	l.taken()
	return nil
}

// RUnlock gives back the lock taken for reading. Error: EPERM (no reader holds it).
func (l *FutexRWLock) RUnlock() error {
	l.giving()
	if v := atomic.AddUint32(l.word, ^uint32(0)); v >= sleepers {
		return l.readerLeft(v)
	}
	return nil
}

// Lock takes the lock for writing, alone.
func (l *FutexRWLock) Lock() error {
	if atomic.CompareAndSwapUint32(l.word, 0, writing) {
		l.taken()
		return nil
	}
	return l.lockForEver()
}

// Unlock gives back the lock taken for writing. Error: EPERM (no writer holds it).
func (l *FutexRWLock) Unlock() error {
	l.giving()
	if v := atomic.AddUint32(l.word, writing); v >= sleepers { // it carries out of the word
		return l.writerLeft(v)
	}
	return nil
}

// TryRLock is [FutexRWLock.RLock] without waiting: EBUSY.
func (l *FutexRWLock) TryRLock() error {
	for {
		v := atomic.LoadUint32(l.word)
		if v >= closed {
			return fail("tryrdlock", unix.EBUSY)
		}
		if atomic.CompareAndSwapUint32(l.word, v, v+1) {
			l.taken()
			return nil
		}
	}
}

// TryLock is [FutexRWLock.Lock] without waiting: EBUSY.
func (l *FutexRWLock) TryLock() error {
	for {
		v := atomic.LoadUint32(l.word)
		if v&(writing|readers) != 0 {
			return fail("trywrlock", unix.EBUSY)
		}
		if atomic.CompareAndSwapUint32(l.word, v, v&^closed|writing) {
			l.taken()
			return nil
		}
	}
}

// The forms with a limit are those of [RWLock].

func (l *FutexRWLock) RLockBy(deadline time.Time) error {
	return l.rlock(patience{limit: untilTime, end: deadline})
}

func (l *FutexRWLock) LockBy(deadline time.Time) error {
	return l.lock(patience{limit: untilTime, end: deadline})
}

func (l *FutexRWLock) RLockFor(d time.Duration) error { return l.rlock(within(d)) }

func (l *FutexRWLock) LockFor(d time.Duration) error { return l.lock(within(d)) }

func (l *FutexRWLock) RLockContext(ctx context.Context) error { return l.untilDone(ctx, l.rlock) }

func (l *FutexRWLock) LockContext(ctx context.Context) error { return l.untilDone(ctx, l.lock) }

// untilDone wakes a sleeping call when ctx ends, and does so until it has returned: one
// that is just before its sleep would miss a single time.
func (l *FutexRWLock) untilDone(ctx context.Context, call func(patience) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var returned atomic.Bool
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		for pause := 20 * time.Microsecond; !returned.Load(); pause = min(2*pause, 5*time.Millisecond) {
			l.wake(both)
			ts := unix.NsecToTimespec(pause.Nanoseconds())
			_ = unix.Nanosleep(&ts, nil)
		}
	})
	err := call(patience{limit: untilDone, ctx: ctx})
	returned.Store(true)
	if !stop() {
		<-ended
	}
	return err
}
