package posixsem

/*
#include "unp_posixsem.h"
*/
import "C"

import (
	"context"
	"math"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/racedetect"
)

// Wait takes 1 from the value, and sleeps while it is 0. See sem_wait(3).
func (s *Sem) Wait() error {
	if s.take() {
		return nil
	}
	return s.fail("sem_wait", again(func() C.int { return C.unp_sem_wait(s.addr) }))
}

// WaitContext is [Sem.Wait] until ctx ends; then nothing was taken.
func (s *Sem) WaitContext(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if s.take() {
		return nil
	}
	err := blocking.Do(ctx, func() syscall.Errno { return taken(C.unp_sem_wait(s.addr)) })
	if errno, ok := err.(syscall.Errno); ok {
		return s.fail("sem_wait", errno)
	}
	return err
}

// TryWait is [Sem.Wait] without sleeping: EAGAIN at 0. See sem_trywait(3).
func (s *Sem) TryWait() error {
	if s.take() {
		return nil
	}
	if s.direct {
		return s.fail("sem_trywait", unix.EAGAIN)
	}
	return s.fail("sem_trywait", again(func() C.int { return C.unp_sem_trywait(s.addr) }))
}

// WaitBy is [Sem.Wait] with a limit: ETIMEDOUT if the value is still 0 at the deadline,
// a time of the real-time clock, which may be set meanwhile. See sem_timedwait(3).
func (s *Sem) WaitBy(deadline time.Time) error {
	if s.take() {
		return nil
	}
	seconds, nanoseconds := C.int64_t(deadline.Unix()), C.int64_t(deadline.Nanosecond())
	return s.fail("sem_timedwait", again(func() C.int {
		return C.unp_sem_timedwait(s.addr, seconds, nanoseconds)
	}))
}

// WaitFor is [Sem.Wait] for at most the given time, whatever happens to the real-time
// clock: ETIMEDOUT if the value is 0 all the while. A time of 0 or less tries only. See
// sem_clockwait(3) with CLOCK_MONOTONIC.
func (s *Sem) WaitFor(d time.Duration) error {
	if s.take() {
		return nil
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return err
	}
	end := now.Nano()
	if d > 0 {
		end += min(d.Nanoseconds(), math.MaxInt64-end)
	}
	seconds, nanoseconds := C.int64_t(end/1e9), C.int64_t(end%1e9)
	return s.fail("sem_clockwait", again(func() C.int {
		return C.unp_sem_clockwait(s.addr, seconds, nanoseconds)
	}))
}

// Post adds 1 to the value and wakes one who waits. See sem_post(3).
// Error: EOVERFLOW.
func (s *Sem) Post() error {
	racedetect.Giving()
	if s.give() {
		return nil
	}
	return s.fail("sem_post", syscall.Errno(C.unp_sem_post(s.addr)))
}

// Value is the value now; 0 while somebody waits. See sem_getvalue(3).
func (s *Sem) Value() (int, error) {
	var v C.int
	errno := syscall.Errno(C.unp_sem_getvalue(s.addr, &v))
	return int(v), s.fail("sem_getvalue", errno)
}

// again makes a call until it is not a signal that ended it. A deadline is a point in
// time, so it stays.
func again(wait func() C.int) syscall.Errno {
	for {
		if errno := taken(wait()); errno != unix.EINTR {
			return errno
		}
	}
}

func taken(errno C.int) syscall.Errno {
	if errno == 0 {
		racedetect.Taken()
	}
	return syscall.Errno(errno)
}
