// Package blocking makes blocking system calls obey a context.
//
// A call that sleeps in the kernel is ended by a signal to its thread: it then
// returns EINTR and, as every call that may be restarted, has done nothing. So
// no message, byte or token is lost, and no descriptor or time-out is needed.
// The price is one thread for each call that sleeps.
package blocking

/*
#cgo CFLAGS: -I${SRCDIR}/../../../capi
#include "unp_interrupt.h"
*/
import "C"

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/interrupt"
	"unpipc/gobind/internal/errs"
)

// Do runs call, a single system call, until it returns something other than
// EINTR. When ctx ends first, call is interrupted and the cause of ctx returned;
// a call that had already succeeded by then keeps its success. Its errno comes
// back as it is, as a syscall.Errno.
func Do(ctx context.Context, call func() syscall.Errno) error {
	return do(ctx, unix.EINTR, func() {}, call)
}

// Transfer is [Do] for a read or a write of package unix's on a descriptor, with the
// errors of errs.Call.
func Transfer(ctx context.Context, op string, transfer func() (int, error)) (n int, err error) {
	err = Do(ctx, func() syscall.Errno {
		var e error
		n, e = transfer()
		return errs.Errno(e)
	})
	if errno, ok := err.(syscall.Errno); ok {
		err = errs.Call(op, errno)
	}
	return max(n, 0), err
}

// do is [Do] for a call that returns interrupted when it is interrupted after end.
func do(ctx context.Context, interrupted syscall.Errno, end func(), call func() syscall.Errno) error {
	if ctx.Done() == nil {
		for {
			if errno := call(); errno == 0 {
				return nil
			} else if errno != interrupted {
				return errno
			}
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer admitSignal()()

	var returned atomic.Bool
	var interrupting sync.WaitGroup
	tid := unix.Gettid()
	interrupting.Add(1)
	stop := context.AfterFunc(ctx, func() {
		defer interrupting.Done()
		end()
		interrupt(tid, &returned)
	})
	var errno syscall.Errno
	for {
		errno = call()
		if errno != interrupted || ctx.Err() != nil {
			break
		}
	}
	returned.Store(true)
	if !stop() {
		// What the thread does next must not be interrupted: no signal may be sent
		// any more, and one that was sent is delivered on the way out of a call.
		interrupting.Wait()
		unix.Getppid()
	}
	switch errno {
	case 0:
		return nil
	case interrupted:
		return context.Cause(ctx)
	}
	return errno
}

// interrupt sends the signal until the call has returned: a thread that is just
// before its call would miss a single one.
func interrupt(tid int, returned *atomic.Bool) {
	for pause := 20 * time.Microsecond; !returned.Load(); pause = min(2*pause, 5*time.Millisecond) {
		if C.unp_interrupt(C.pid_t(tid)) != 0 {
			return
		}
		// Not time.Sleep: the first Go timer of a process opens two descriptors.
		ts := unix.NsecToTimespec(pause.Nanoseconds())
		_ = unix.Nanosleep(&ts, nil)
	}
}

// signals is the set of the interrupting signal alone.
var signals = func() (set unix.Sigset_t) {
	n := uint(C.unp_interrupt_signal()) - 1
	word := uint(unsafe.Sizeof(set.Val[0]) * 8)
	set.Val[n/word] = 1 << (n % word)
	return set
}()

// admitSignal lets the signal through to this thread, which may have inherited it
// blocked: from the program that started this one, or from a thread of libc's that
// runs a callback. What it returns puts that back.
func admitSignal() (restore func()) {
	var old unix.Sigset_t
	// Cannot fail: the set is valid and so is the request.
	_ = unix.PthreadSigmask(unix.SIG_UNBLOCK, &signals, &old)
	for i, word := range signals.Val {
		if old.Val[i]&word != 0 {
			return func() { _ = unix.PthreadSigmask(unix.SIG_BLOCK, &signals, nil) }
		}
	}
	return func() {}
}
