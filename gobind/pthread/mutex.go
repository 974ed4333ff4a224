package pthread

/*
#include <time.h>
#include "unp_pthread.h"

enum { mutex_alignment = _Alignof(pthread_mutex_t) };
*/
import "C"

import (
	"context"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/racedetect"
)

// MutexSize is how many bytes of memory a mutex takes, MutexAlignment what its address
// must be a multiple of.
const (
	MutexSize      = C.sizeof_pthread_mutex_t
	MutexAlignment = C.mutex_alignment
)

// MutexKind is what happens when the owner locks a mutex again, or another unlocks it.
// See pthread_mutexattr_settype(3).
type MutexKind int

const (
	Normal     MutexKind = C.PTHREAD_MUTEX_NORMAL     // it sleeps for ever; no check
	ErrorCheck MutexKind = C.PTHREAD_MUTEX_ERRORCHECK // EDEADLK; EPERM
	Recursive  MutexKind = C.PTHREAD_MUTEX_RECURSIVE  // it is counted; EPERM
)

// Protocol is what a mutex does to the priority of its owner, a thread under
// SCHED_FIFO or SCHED_RR. See pthread_mutexattr_setprotocol(3p).
type Protocol int

const (
	NoProtocol Protocol = C.PTHREAD_PRIO_NONE
	Inherit    Protocol = C.PTHREAD_PRIO_INHERIT // at least that of every waiter
	// Protect gives the owner at least the mutex's ceiling. A locker needs the right to
	// that priority, and is refused with EINVAL if its own is higher, or if it is not
	// under one of the two policies.
	Protect Protocol = C.PTHREAD_PRIO_PROTECT
)

// MutexAttr says what mutex to make; the zero value is a normal one within the process.
type MutexAttr struct {
	Kind     MutexKind
	Robust   bool // the death of an owner is reported to the next: EOWNERDEAD
	Shared   bool // between processes
	Protocol Protocol
	Ceiling  int // for Protect: a priority, 1 to 99; 0 is the lowest
}

// Mutex is a pthread_mutex_t somewhere in memory. It may be used by several goroutines,
// and by other processes, at once.
type Mutex struct {
	object[C.pthread_mutex_t]
	direct kinds // that are known to begin with a [word]
}

// InitMutex makes a mutex in memory, which must not be the Go heap. See
// pthread_mutex_init(3). Errors: EINVAL (an attribute; memory that is too small or not
// aligned), ENOTSUP (robust and Protect).
func InitMutex(memory []byte, attr MutexAttr) (*Mutex, error) {
	m, err := MutexAt(memory)
	if err != nil {
		return nil, err
	}
	return made(m, m.init(attr))
}

// NewMutex is [InitMutex] in memory of its own, which [Mutex.Destroy] frees.
func NewMutex(attr MutexAttr) (*Mutex, error) {
	m := &Mutex{newObject[C.pthread_mutex_t](), direct()}
	return made(m, m.init(attr))
}

// MutexAt is the mutex that was made in this memory. Error: EINVAL, as for [InitMutex].
func MutexAt(memory []byte) (*Mutex, error) {
	o, err := objectAt[C.pthread_mutex_t](memory, MutexAlignment, "pthread_mutex_init")
	return made(&Mutex{o, direct()}, err)
}

func (m *Mutex) init(attr MutexAttr) error {
	return errs.Call("pthread_mutex_init", syscall.Errno(C.unp_mutex_init(m.c, &C.struct_unp_mutex_attr{
		kind:     C.int(attr.Kind),
		protocol: C.int(attr.Protocol),
		ceiling:  C.int(attr.Ceiling),
		robust:   C.bool(attr.Robust),
		shared:   C.bool(attr.Shared),
	})))
}

// Destroy ends a mutex that nobody holds. See pthread_mutex_destroy(3). Error: EBUSY.
func (m *Mutex) Destroy() error {
	return m.destroyed("pthread_mutex_destroy", syscall.Errno(C.pthread_mutex_destroy(m.c)))
}

// Lock locks the mutex and keeps the goroutine on its thread until [Mutex.Unlock]. See
// pthread_mutex_lock(3). Errors: EDEADLK (ErrorCheck: it is the caller's), EAGAIN
// (Recursive: too often), EINVAL (Protect), EOWNERDEAD, ENOTRECOVERABLE.
func (m *Mutex) Lock() error {
	runtime.LockOSThread()
	if m.take() {
		racedetect.Taken()
		return nil
	}
	return locked("pthread_mutex_lock", syscall.Errno(C.pthread_mutex_lock(m.c)))
}

// TryLock is [Mutex.Lock] without sleeping: EBUSY if it is locked. See
// pthread_mutex_trylock(3).
//
// glibc (2.36) leaves a mutex locked when this call finds it ENOTRECOVERABLE: those that
// lock it later sleep instead of failing. [Mutex.LockFor] with 0 has no such fault.
func (m *Mutex) TryLock() error {
	runtime.LockOSThread()
	if m.take() {
		racedetect.Taken()
		return nil
	}
	return locked("pthread_mutex_trylock", syscall.Errno(C.pthread_mutex_trylock(m.c)))
}

// LockBy is [Mutex.Lock] with a limit: ETIMEDOUT if it is still locked at the deadline,
// a time of the real-time clock, which may be set meanwhile. See
// pthread_mutex_timedlock(3).
func (m *Mutex) LockBy(deadline time.Time) error {
	runtime.LockOSThread()
	t := by(deadline)
	return locked("pthread_mutex_timedlock", syscall.Errno(C.pthread_mutex_timedlock(m.c, c(&t))))
}

// LockFor is [Mutex.Lock] with a limit: ETIMEDOUT if it is still locked when d has
// passed by the monotonic clock. See pthread_mutex_clocklock(3).
func (m *Mutex) LockFor(d time.Duration) error {
	runtime.LockOSThread()
	t := after(d)
	return locked("pthread_mutex_clocklock", syscall.Errno(C.pthread_mutex_clocklock(m.c, C.CLOCK_MONOTONIC, c(&t))))
}

// LockContext is [Mutex.Lock] until ctx ends.
func (m *Mutex) LockContext(ctx context.Context) error {
	timed := func(deadline *unix.Timespec) syscall.Errno {
		return syscall.Errno(C.pthread_mutex_clocklock(m.c, C.CLOCK_REALTIME, c(deadline)))
	}
	try := func() syscall.Errno {
		if m.take() {
			return 0
		}
		// Not pthread_mutex_trylock: see the caveat at TryLock.
		return timed(&unix.Timespec{})
	}
	return lockContext(ctx, "pthread_mutex_clocklock", try, timed)
}

// locked ends a call that locks, made on a pinned goroutine, which stays pinned only if
// it got the lock.
func locked(call string, errno syscall.Errno) error {
	if errno == 0 || errno == unix.EOWNERDEAD {
		racedetect.Taken()
	} else {
		runtime.UnlockOSThread()
	}
	return errs.Call(call, errno)
}

// Unlock unlocks the mutex. See pthread_mutex_unlock(3).
// Error: EPERM (it is not the caller's; not checked for a normal one that is not robust).
func (m *Mutex) Unlock() error {
	racedetect.Giving()
	if m.give() {
		runtime.UnlockOSThread()
		return nil
	}
	return unlocked("pthread_mutex_unlock", syscall.Errno(C.pthread_mutex_unlock(m.c)))
}

func unlocked(call string, errno syscall.Errno) error {
	if errno == 0 {
		runtime.UnlockOSThread()
	}
	return errs.Call(call, errno)
}

// Relock lets others have the mutex, which the caller holds, as [Mutex.Unlock] and
// [Mutex.Lock] do, but only if somebody sleeps for it: what a loop does between two
// rounds. Errors: those of Lock; EPERM as of Unlock, but not if another thread holds it and
// nobody sleeps.
func (m *Mutex) Relock() error {
	if m.unwanted() {
		return nil
	}
	if err := m.Unlock(); err != nil {
		return err
	}
	return m.Lock()
}

// Consistent says that what the mutex protects has been repaired, after EOWNERDEAD and
// before [Mutex.Unlock]. See pthread_mutex_consistent(3).
// Error: EINVAL (it is not robust, or nobody died).
func (m *Mutex) Consistent() error {
	return errs.Call("pthread_mutex_consistent", syscall.Errno(C.pthread_mutex_consistent(m.c)))
}

// Ceiling is the priority ceiling. See pthread_mutex_getprioceiling(3p).
// Error: EINVAL (not made with Protect).
func (m *Mutex) Ceiling() (int, error) {
	var ceiling C.int
	errno := syscall.Errno(C.pthread_mutex_getprioceiling(m.c, &ceiling))
	return int(ceiling), errs.Call("pthread_mutex_getprioceiling", errno)
}

// SetCeiling sets the priority ceiling and returns the old one; it locks the mutex
// meanwhile, whatever its ceiling. See pthread_mutex_setprioceiling(3p).
// Error: EINVAL (not made with Protect; no such priority).
func (m *Mutex) SetCeiling(ceiling int) (old int, err error) {
	var was C.int
	errno := syscall.Errno(C.pthread_mutex_setprioceiling(m.c, C.int(ceiling), &was))
	return int(was), errs.Call("pthread_mutex_setprioceiling", errno)
}
