package p08rwlock

import (
	"context"
	"math"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/futex"
)

// event is something that is slept for, an "eventcount". Who makes it happen does so by a
// plain store, and looks at the event; only if that is odd does somebody sleep. Who is
// about to sleep makes it odd, looks whether it has happened already, and sleeps while
// the event keeps its value.
//
// The looks would miss one another where a processor puts off the store until after its
// look, as all do. A full barrier between the two prevents that, and would cost as much as
// all the rest. So the sleeper pays for both: membarrier(2) is a barrier in all threads of
// all processes that use such locks. Either the store was before it, and the sleeper sees
// it; or the look is after it, and sees that the event is odd.
type event struct{ n atomic.Uint32 }

func (e *event) awaited() bool { return e.n.Load()&1 != 0 }

// announce says that somebody is about to sleep, and while which value.
func (e *event) announce() uint32 {
	for {
		v := e.n.Load()
		if v&1 != 0 || e.n.CompareAndSwap(v, v+1) {
			return v | 1
		}
	}
}

// happen wakes all who sleep. Who has announced it and does not sleep yet finds that the
// value has changed.
func (e *event) happen() {
	for v := e.n.Load(); v&1 != 0; v = e.n.Load() {
		if e.n.CompareAndSwap(v, v+1) {
			_, _ = futex.Wake(&e.n, math.MaxInt32) // fails only where there is no memory
			return
		}
	}
}

// wait sleeps while the event has this value. Without an error the sleep may also have
// ended for no reason.
func (e *event) wait(value uint32, p patience) error {
	var err error
	switch p.limit {
	case untilTime:
		err = futex.WaitBy(&e.n, value, p.end)
	case forAWhile:
		err = futex.WaitFor(&e.n, value, time.Until(p.end))
	case untilDone:
		err = futex.WaitContext(p.ctx, &e.n, value)
	default:
		err = futex.Wait(&e.n, value)
	}
	if err != nil { // nobody has woken us: the time may be over, or the value has changed
		return p.over()
	}
	return nil
}

var errLate = fail("timedlock", unix.ETIMEDOUT)

// over says whether there is no more time to wait.
func (p patience) over() error {
	switch {
	case p.limit == untilDone && p.ctx.Err() != nil:
		return context.Cause(p.ctx)
	case (p.limit == untilTime || p.limit == forAWhile) && !time.Now().Before(p.end):
		return errLate
	}
	return nil
}

// The commands of membarrier(2), see linux/membarrier.h; package unix has not got them.
const (
	globalExpedited         = 1 << 1
	registerGlobalExpedited = 1 << 2 // for a process in which it is to be a barrier, too
)

func membarrier(command uintptr) error {
	if _, _, errno := syscall.RawSyscall(unix.SYS_MEMBARRIER, command, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// barrier is a full barrier in all threads of all who use this lock. It is false where the
// kernel does not do that for one of them.
func (m *futexLayout) barrier() bool {
	return atomic.LoadUint32(&m.polls) == 0 && membarrier(globalExpedited) == nil
}
