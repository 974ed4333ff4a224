package pthread

/*
#include <time.h>
#include "unp_pthread.h"

enum { rwlock_alignment = _Alignof(pthread_rwlock_t) };
*/
import "C"

import (
	"context"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/racedetect"
)

// RWLockSize is how many bytes of memory a read-write lock takes, RWLockAlignment what
// its address must be a multiple of.
const (
	RWLockSize      = C.sizeof_pthread_rwlock_t
	RWLockAlignment = C.rwlock_alignment
)

// RWLockKind is who goes first when a reader comes while a writer waits. See
// pthread_rwlockattr_setkind_np(3).
type RWLockKind int

const (
	PreferReader RWLockKind = C.PTHREAD_RWLOCK_PREFER_READER_NP
	// PreferWriter is PreferReader in fact: or else a reader could not lock again.
	PreferWriter RWLockKind = C.PTHREAD_RWLOCK_PREFER_WRITER_NP
	// PreferWriterNonrecursive prefers writers; a reader that locks again may sleep for
	// ever.
	PreferWriterNonrecursive RWLockKind = C.PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP
)

// RWLockAttr says what read-write lock to make; the zero value is one within the
// process that prefers readers.
type RWLockAttr struct {
	Shared bool // between processes
	Kind   RWLockKind
}

// RWLock is a pthread_rwlock_t somewhere in memory. It may be used by several
// goroutines, and by other processes, at once. It has no robust form: a process that
// dies with it locks the others out.
//
// Readers and writers come and go without a call into C as long as nobody has to sleep.
type RWLock struct {
	object[C.pthread_rwlock_t]
	direct bool // it begins with the readers of [rwords]
	alone  bool // it is [rwords]
}

// InitRWLock makes a read-write lock in memory, which must not be the Go heap. See
// pthread_rwlock_init(3p). Errors: EINVAL (the kind; memory that is too small or not
// aligned).
func InitRWLock(memory []byte, attr RWLockAttr) (*RWLock, error) {
	l, err := RWLockAt(memory)
	if err != nil {
		return nil, err
	}
	return made(l, l.init(attr))
}

// NewRWLock is [InitRWLock] in memory of its own, which [RWLock.Destroy] frees.
func NewRWLock(attr RWLockAttr) (*RWLock, error) {
	l := &RWLock{newObject[C.pthread_rwlock_t](), readersDirect(), writersDirect()}
	return made(l, l.init(attr))
}

// RWLockAt is the lock that was made in this memory. Error: EINVAL, as for [InitRWLock].
func RWLockAt(memory []byte) (*RWLock, error) {
	o, err := objectAt[C.pthread_rwlock_t](memory, RWLockAlignment, "pthread_rwlock_init")
	return made(&RWLock{o, readersDirect(), writersDirect()}, err)
}

func (l *RWLock) init(attr RWLockAttr) error {
	return errs.Call("pthread_rwlock_init", syscall.Errno(C.unp_rwlock_init(unsafe.Pointer(l.c), C.bool(attr.Shared), C.int(attr.Kind))))
}

// Destroy ends a lock that nobody holds. See pthread_rwlock_destroy(3p).
func (l *RWLock) Destroy() error {
	return l.destroyed("pthread_rwlock_destroy", syscall.Errno(C.pthread_rwlock_destroy(l.c)))
}

// RLock locks for reading and keeps the goroutine on its thread until [RWLock.Unlock].
// See pthread_rwlock_rdlock(3p). Errors: EDEADLK (the caller has it for writing), EAGAIN
// (too many readers).
func (l *RWLock) RLock() error {
	runtime.LockOSThread()
	if l.enter() {
		racedetect.Taken()
		return nil
	}
	return locked("pthread_rwlock_rdlock", syscall.Errno(C.pthread_rwlock_rdlock(l.c)))
}

// TryRLock is [RWLock.RLock] without sleeping: EBUSY. See pthread_rwlock_tryrdlock(3p).
func (l *RWLock) TryRLock() error {
	runtime.LockOSThread()
	if l.enter() {
		racedetect.Taken()
		return nil
	}
	return locked("pthread_rwlock_tryrdlock", syscall.Errno(C.pthread_rwlock_tryrdlock(l.c)))
}

// RLockBy is [RWLock.RLock] with a limit: ETIMEDOUT at the deadline, a time of the
// real-time clock. See pthread_rwlock_timedrdlock(3p).
func (l *RWLock) RLockBy(deadline time.Time) error {
	runtime.LockOSThread()
	t := by(deadline)
	return locked("pthread_rwlock_timedrdlock", syscall.Errno(C.pthread_rwlock_timedrdlock(l.c, c(&t))))
}

// RLockFor is [RWLock.RLock] with a limit: ETIMEDOUT when d has passed by the monotonic
// clock. See pthread_rwlock_clockrdlock(3).
func (l *RWLock) RLockFor(d time.Duration) error {
	runtime.LockOSThread()
	t := after(d)
	return locked("pthread_rwlock_clockrdlock", syscall.Errno(C.pthread_rwlock_clockrdlock(l.c, C.CLOCK_MONOTONIC, c(&t))))
}

// RLockContext is [RWLock.RLock] until ctx ends.
func (l *RWLock) RLockContext(ctx context.Context) error {
	return lockContext(ctx, "pthread_rwlock_clockrdlock",
		func() syscall.Errno { return syscall.Errno(C.pthread_rwlock_tryrdlock(l.c)) },
		func(deadline *unix.Timespec) syscall.Errno {
			return syscall.Errno(C.pthread_rwlock_clockrdlock(l.c, C.CLOCK_REALTIME, c(deadline)))
		})
}

// Lock locks for writing and keeps the goroutine on its thread until [RWLock.Unlock].
// See pthread_rwlock_wrlock(3p). Error: EDEADLK (the caller has it for writing).
func (l *RWLock) Lock() error {
	runtime.LockOSThread()
	if l.enterAlone() {
		racedetect.Taken()
		return nil
	}
	return locked("pthread_rwlock_wrlock", syscall.Errno(C.pthread_rwlock_wrlock(l.c)))
}

// TryLock is [RWLock.Lock] without sleeping: EBUSY. See pthread_rwlock_trywrlock(3p).
func (l *RWLock) TryLock() error {
	runtime.LockOSThread()
	if l.enterAlone() {
		racedetect.Taken()
		return nil
	}
	return locked("pthread_rwlock_trywrlock", syscall.Errno(C.pthread_rwlock_trywrlock(l.c)))
}

// LockBy is [RWLock.Lock] with a limit: ETIMEDOUT at the deadline, a time of the
// real-time clock. See pthread_rwlock_timedwrlock(3p).
func (l *RWLock) LockBy(deadline time.Time) error {
	runtime.LockOSThread()
	t := by(deadline)
	return locked("pthread_rwlock_timedwrlock", syscall.Errno(C.pthread_rwlock_timedwrlock(l.c, c(&t))))
}

// LockFor is [RWLock.Lock] with a limit: ETIMEDOUT when d has passed by the monotonic
// clock. See pthread_rwlock_clockwrlock(3).
func (l *RWLock) LockFor(d time.Duration) error {
	runtime.LockOSThread()
	t := after(d)
	return locked("pthread_rwlock_clockwrlock", syscall.Errno(C.pthread_rwlock_clockwrlock(l.c, C.CLOCK_MONOTONIC, c(&t))))
}

// LockContext is [RWLock.Lock] until ctx ends.
func (l *RWLock) LockContext(ctx context.Context) error {
	return lockContext(ctx, "pthread_rwlock_clockwrlock",
		func() syscall.Errno { return syscall.Errno(C.pthread_rwlock_trywrlock(l.c)) },
		func(deadline *unix.Timespec) syscall.Errno {
			return syscall.Errno(C.pthread_rwlock_clockwrlock(l.c, C.CLOCK_REALTIME, c(deadline)))
		})
}

// Unlock gives back what this goroutine has locked last, for reading or writing. See
// pthread_rwlock_unlock(3p).
func (l *RWLock) Unlock() error {
	racedetect.Giving()
	if l.leave() {
		runtime.UnlockOSThread()
		return nil
	}
	return unlocked("pthread_rwlock_unlock", syscall.Errno(C.pthread_rwlock_unlock(l.c)))
}
