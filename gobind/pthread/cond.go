package pthread

/*
#cgo noescape unp_cond_wait
#cgo nocallback unp_cond_wait
#cgo noescape unp_cond_signal
#cgo nocallback unp_cond_signal
#include <time.h>
#include "unp_pthread.h"

enum { cond_alignment = _Alignof(pthread_cond_t) };
*/
import "C"

import (
	"context"
	"math"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/racedetect"
)

// CondSize is how many bytes of memory a condition variable takes, CondAlignment what
// its address must be a multiple of.
const (
	CondSize      = C.sizeof_pthread_cond_t
	CondAlignment = C.cond_alignment
)

// Clock is one of the two clocks that a condition variable may have.
type Clock int

const (
	Realtime  Clock = C.CLOCK_REALTIME
	Monotonic Clock = C.CLOCK_MONOTONIC
)

// CondAttr says what condition variable to make; the zero value is one within the
// process, with the real-time clock.
type CondAttr struct {
	Shared bool  // between processes
	Clock  Clock // of [Cond.WaitUntil], and of pthread_cond_timedwait in C
}

// Cond is a pthread_cond_t somewhere in memory. It may be used by several goroutines,
// and by other processes, at once.
//
// While nobody waits, [Cond.Signal] and [Cond.Broadcast] make no call into C.
type Cond struct {
	object[C.pthread_cond_t]
	waitersAt uintptr // see [waitersAt]
	yields    int32   // before a wait sleeps; less than 0: it is libc's own, see [waitsDirect]
}

// InitCond makes a condition variable in memory, which must not be the Go heap. See
// pthread_cond_init(3). Errors: EINVAL (the clock; memory that is too small or not
// aligned).
func InitCond(memory []byte, attr CondAttr) (*Cond, error) {
	v, err := CondAt(memory)
	if err != nil {
		return nil, err
	}
	return made(v, v.init(attr))
}

// NewCond is [InitCond] in memory of its own, which [Cond.Destroy] frees.
func NewCond(attr CondAttr) (*Cond, error) {
	v := &Cond{newObject[C.pthread_cond_t](), waitersAt(), yields()}
	return made(v, v.init(attr))
}

// CondAt is the condition variable that was made in this memory. Error: EINVAL, as for
// [InitCond].
func CondAt(memory []byte) (*Cond, error) {
	o, err := objectAt[C.pthread_cond_t](memory, CondAlignment, "pthread_cond_init")
	return made(&Cond{o, waitersAt(), yields()}, err)
}

func (v *Cond) init(attr CondAttr) error {
	return errs.Call("pthread_cond_init", syscall.Errno(C.unp_cond_init(v.c, C.bool(attr.Shared), C.clockid_t(attr.Clock))))
}

// Destroy ends a condition variable at which nobody waits; while those that were woken
// are on their way out it sleeps. See pthread_cond_destroy(3).
func (v *Cond) Destroy() error {
	return v.destroyed("pthread_cond_destroy", syscall.Errno(C.pthread_cond_destroy(v.c)))
}

// SetAdaptive makes the waits here adaptive, as PTHREAD_MUTEX_ADAPTIVE_NP does the locking of
// a mutex: before it sleeps, a [Cond.Wait] or [Cond.SignalAndWait] by this handle lets others
// run, so many times at most (sched_yield(2); 20 take some microseconds where nobody else
// runs). A signal that comes meanwhile is taken without a sleep: what is right for threads
// that wait for each other all the time. A thread whose yields were no good, or took long as
// others need the processors, leaves them out for a while, the longer the more often that is
// so. 0 is none, as at first; there is no effect where waits are libc's own (see "Speed").
// To be called before others use the handle.
func (v *Cond) SetAdaptive(yields int) {
	if v.yields >= 0 {
		v.yields = int32(min(max(yields, 0), math.MaxInt32))
	}
}

// Wait unlocks m, which the caller holds, sleeps until it is woken, and locks m again. It
// may also return without being woken: test the condition in a loop. See
// pthread_cond_wait(3).
// Errors: EPERM (m is not the caller's, of a kind that checks); EOWNERDEAD, m locked;
// ENOTRECOVERABLE, m not locked.
func (v *Cond) Wait(m *Mutex) error {
	return v.wait(m, 0)
}

// SignalAndWait wakes one of those that wait for other, as [Cond.Signal] does, and then
// waits, as [Cond.Wait] does, in one call into C: he who is woken needs the mutex, and has it
// the sooner. Errors: those of Wait.
func (v *Cond) SignalAndWait(other *Cond, m *Mutex) error {
	return v.wait(m, other.address())
}

func (v *Cond) wait(m *Mutex, signalled C.uintptr_t) error {
	racedetect.Giving()
	yields := v.yields
	if yields >= 0 && !m.isMine() {
		yields = -1
	}
	return woken("pthread_cond_wait", syscall.Errno(C.unp_cond_wait(v.address(), m.address(), signalled, C.int(yields))))
}

// address is the condition as a call takes it that is not to look what it points to.
func (v *Cond) address() C.uintptr_t { return C.uintptr_t(uintptr(unsafe.Pointer(v.c))) }

// WaitBy is [Cond.Wait] with a limit: ETIMEDOUT, with m locked, if nobody has woken it
// at the deadline, a time of the real-time clock whichever clock the variable has. See
// pthread_cond_clockwait(3).
func (v *Cond) WaitBy(m *Mutex, deadline time.Time) error {
	racedetect.Giving()
	t := by(deadline)
	return woken("pthread_cond_clockwait", syscall.Errno(C.pthread_cond_clockwait(v.c, m.c, C.CLOCK_REALTIME, c(&t))))
}

// WaitFor is [Cond.Wait] with a limit: ETIMEDOUT, with m locked, if nobody has woken it
// when d has passed by the monotonic clock. See pthread_cond_clockwait(3).
func (v *Cond) WaitFor(m *Mutex, d time.Duration) error {
	racedetect.Giving()
	t := after(d)
	return woken("pthread_cond_clockwait", syscall.Errno(C.pthread_cond_clockwait(v.c, m.c, C.CLOCK_MONOTONIC, c(&t))))
}

// WaitUntil is [Cond.Wait] with a limit by the variable's own clock: ETIMEDOUT, with m
// locked. See pthread_cond_timedwait(3). Error: EINVAL (nanoseconds out of range).
func (v *Cond) WaitUntil(m *Mutex, deadline unix.Timespec) error {
	racedetect.Giving()
	return woken("pthread_cond_timedwait", syscall.Errno(C.pthread_cond_timedwait(v.c, m.c, c(&deadline))))
}

// WaitContext is [Cond.Wait] until ctx ends; m is locked then too, and is waited for as
// long as it takes. EOWNERDEAD and ENOTRECOVERABLE go before the end of ctx.
func (v *Cond) WaitContext(ctx context.Context, m *Mutex) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	racedetect.Giving()
	err := blocking.DoTimed(ctx, func(deadline *unix.Timespec) syscall.Errno {
		return syscall.Errno(C.pthread_cond_clockwait(v.c, m.c, C.CLOCK_REALTIME, c(deadline)))
	})
	errno, ok := err.(syscall.Errno)
	if err != nil && !ok {
		racedetect.Taken()
		return err
	}
	return woken("pthread_cond_clockwait", errno)
}

// woken ends a call that has locked the mutex again, unless that is lost.
func woken(call string, errno syscall.Errno) error {
	if errno == unix.ENOTRECOVERABLE {
		runtime.UnlockOSThread()
	} else {
		racedetect.Taken()
	}
	return errs.Call(call, errno)
}

// Signal wakes one of those that wait, if there are any. See pthread_cond_signal(3).
func (v *Cond) Signal() error {
	if v.idle() {
		return nil
	}
	return errs.Call("pthread_cond_signal", syscall.Errno(C.unp_cond_signal(v.address())))
}

// Broadcast wakes all that wait. See pthread_cond_broadcast(3).
func (v *Cond) Broadcast() error {
	if v.idle() {
		return nil
	}
	return errs.Call("pthread_cond_broadcast", syscall.Errno(C.pthread_cond_broadcast(v.c)))
}
