package p08rwlock

import (
	"context"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/ordered"
)

// FutexRWLock is a read-write lock without a mutex and condition variables, for
// comparison: what can be had. Every reader has a word of its own to say that he is in,
// see [FutexRWLock.Reader], and writers look at all of them. To come takes one atomic
// instruction, to go takes none. Memory that is zero is a lock that is free. It may be
// shared between processes, also with ref/futexlock.h.
//
//	         writer ○           Lock: set it, then look at every slot
//	slot  ┌───┬───┬───┬───
//	      │ ○ │   │ ○ │ …       RLock: set one's own, then look at writer
//	      └───┴───┴───┴───
//
// Who finds it taken looks again a few times, naps, and then sleeps in the kernel until he
// is woken, see [event]. Nobody stands in a queue. Readers who come while a writer waits
// for others to leave wait for him, so they cannot keep him out; but writers, among
// themselves and before readers, get in in no order that is promised.
type FutexRWLock struct {
	m   *futexLayout
	own []byte // memory of NewFutex
}

// FutexReader is one who reads under a [FutexRWLock]: a goroutine, or several that use it
// one after the other.
type FutexReader struct {
	lock            *FutexRWLock
	slot            *slot
	reading, writer *uint32 // slot's and lock's
}

const (
	reading = 1 // in a slot
	writing = 2 // in futexLayout.writer; another value, so that RLock finds both by one look
)

// FutexSlots is how many can be readers of one lock, FutexSize how many bytes of memory it
// takes, and FutexAlignment what its address must be a multiple of.
const (
	FutexSlots     = 1024
	FutexSize      = int(unsafe.Sizeof(futexLayout{}))
	FutexAlignment = padding
)

// futexLayout is the lock as it lies in memory, as struct futexlock in ref/futexlock.h.
type futexLayout struct {
	writer uint32 // writing: a writer is in, or waits for the readers to leave
	opened event  // a writer has left; for readers and for other writers
	left   event  // a reader has left; for the writer
	used   uint32 // slots that have ever been somebody's
	polls  uint32 // 1: sleepers must look again without being woken, see barrier
	_      [padding - 20]byte
	slot   [FutexSlots]slot
}

// slot is a cache line that only one reader writes.
type slot struct {
	reading uint32
	owner   uint32 // process; 0: nobody's
	_       [padding - 8]byte
}

// FutexAt is the lock in this memory, which must not be the Go heap.
// Error: EINVAL (memory that is too small or not aligned).
func FutexAt(memory []byte) (*FutexRWLock, error) {
	addr := unsafe.Pointer(unsafe.SliceData(memory))
	if len(memory) < FutexSize || uintptr(addr)%FutexAlignment != 0 {
		return nil, fail("init", unix.EINVAL)
	}
	l := &FutexRWLock{m: (*futexLayout)(addr)}
	if membarrier(registerGlobalExpedited) != nil {
		atomic.StoreUint32(&l.m.polls, 1)
	}
	return l, nil
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

// Destroy frees the memory of a lock made by [NewFutex]; its readers must not be used any
// more. Error: EBUSY (it is held).
func (l *FutexRWLock) Destroy() error {
	if atomic.LoadUint32(&l.m.writer) != 0 || !l.m.empty() {
		return fail("destroy", unix.EBUSY)
	}
	if l.own == nil {
		return nil
	}
	own := l.own
	l.m, l.own = nil, nil
	return os.NewSyscallError("munmap", unix.Munmap(own))
}

// Reader makes one more reader, until [FutexReader.Close]. That of a process that is gone
// and did not hold the lock is used again; all processes must be in one PID namespace.
// Error: EAGAIN (there are [FutexSlots]).
func (l *FutexRWLock) Reader() (*FutexReader, error) {
	me := uint32(os.Getpid())
	for i := range l.m.slot {
		s := &l.m.slot[i]
		owner := atomic.LoadUint32(&s.owner)
		if owner != 0 && (owner == me || atomic.LoadUint32(&s.reading) != 0 || unix.Kill(int(owner), 0) != unix.ESRCH) {
			continue
		}
		if !atomic.CompareAndSwapUint32(&s.owner, owner, me) {
			continue
		}
		for used := atomic.LoadUint32(&l.m.used); used <= uint32(i); used = atomic.LoadUint32(&l.m.used) {
			atomic.CompareAndSwapUint32(&l.m.used, used, uint32(i+1))
		}
		return &FutexReader{lock: l, slot: s, reading: &s.reading, writer: &l.m.writer}, nil
	}
	return nil, fail("reader", unix.EAGAIN)
}

// Close makes room for another reader. Error: EBUSY (this one holds the lock).
func (r *FutexReader) Close() error {
	if atomic.LoadUint32(r.reading) != 0 {
		return fail("close", unix.EBUSY)
	}
	atomic.StoreUint32(&r.slot.owner, 0)
	return nil
}

// RLock takes the lock for reading, together with other readers.
// Error: EDEADLK (this one holds it already).
func (r *FutexReader) RLock() error {
	// The exchange is a full barrier, as is that of a writer: one of the two sees the other.
	was := atomic.SwapUint32(r.reading, reading)
	if atomic.LoadUint32(r.writer) != was {
		return r.rlockForEver(was)
	}
	if race {
		r.lock.taken()
	}
	return nil
}

// RUnlock gives back the lock taken for reading. Nothing happens if this one does not
// hold it.
func (r *FutexReader) RUnlock() {
	if race {
		r.lock.giving()
	}
	if ordered.Store32(r.reading, 0); atomic.LoadUint32(r.writer) != 0 {
		r.tell()
	}
}

// Lock takes the lock for writing, alone.
func (l *FutexRWLock) Lock() error {
	if !atomic.CompareAndSwapUint32(&l.m.writer, 0, writing) {
		return l.lock(patience{limit: forEver})
	}
	if !l.m.empty() {
		return l.drain(patience{limit: forEver})
	}
	l.taken()
	return nil
}

// Unlock gives back the lock taken for writing. Error: EPERM (no writer holds it).
func (l *FutexRWLock) Unlock() error {
	if atomic.LoadUint32(&l.m.writer) == 0 {
		return fail("unlock", unix.EPERM)
	}
	l.giving()
	l.m.leave()
	return nil
}

// TryRLock is [FutexReader.RLock] without waiting: EBUSY (a writer is in, or waits).
func (r *FutexReader) TryRLock() error {
	if atomic.LoadUint32(r.reading) != 0 {
		return errTwice
	}
	if !r.enter() {
		return fail("tryrdlock", unix.EBUSY)
	}
	return nil
}

// TryLock is [FutexRWLock.Lock] without waiting: EBUSY.
func (l *FutexRWLock) TryLock() error {
	if l.m.empty() && atomic.CompareAndSwapUint32(&l.m.writer, 0, writing) {
		if l.m.empty() {
			l.taken()
			return nil
		}
		l.m.leave()
	}
	return fail("trywrlock", unix.EBUSY)
}

// The forms with a limit are those of [RWLock].

func (r *FutexReader) RLockBy(deadline time.Time) error {
	return r.rlock(patience{limit: untilTime, end: deadline})
}

func (l *FutexRWLock) LockBy(deadline time.Time) error {
	return l.lock(patience{limit: untilTime, end: deadline})
}

func (r *FutexReader) RLockFor(d time.Duration) error { return r.rlock(within(d)) }

func (l *FutexRWLock) LockFor(d time.Duration) error { return l.lock(within(d)) }

func (r *FutexReader) RLockContext(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return r.rlock(patience{limit: untilDone, ctx: ctx})
}

func (l *FutexRWLock) LockContext(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return l.lock(patience{limit: untilDone, ctx: ctx})
}
