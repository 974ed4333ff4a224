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

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/interrupt"
)

// Do runs call, a single system call, until it returns something other than
// EINTR. When ctx ends first, call is interrupted and the cause of ctx returned;
// a call that had already succeeded by then keeps its success. Its errno comes
// back as it is, as a syscall.Errno.
func Do(ctx context.Context, call func() syscall.Errno) error {
	if ctx.Done() == nil {
		for {
			if errno := call(); errno == 0 {
				return nil
			} else if errno != unix.EINTR {
				return errno
			}
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	unblockSignal()

	var returned atomic.Bool
	var interrupting sync.WaitGroup
	tid := unix.Gettid()
	interrupting.Add(1)
	stop := context.AfterFunc(ctx, func() {
		defer interrupting.Done()
		// The thread may be just before its call, where a signal is lost.
		for pause := 20 * time.Microsecond; !returned.Load(); pause = min(2*pause, 5*time.Millisecond) {
			if C.unp_interrupt(C.pid_t(tid)) != 0 {
				return
			}
			time.Sleep(pause)
		}
	})
	var errno syscall.Errno
	for {
		errno = call()
		if errno != unix.EINTR || ctx.Err() != nil {
			break
		}
	}
	returned.Store(true)
	if !stop() {
		// The thread must not be interrupted in what it does next.
		interrupting.Wait()
	}
	switch errno {
	case 0:
		return nil
	case unix.EINTR:
		return context.Cause(ctx)
	}
	return errno
}

// unblockSignal lets the interrupting signal through, which the process may
// have inherited blocked.
func unblockSignal() {
	n := uint(C.unp_interrupt_signal()) - 1
	var set unix.Sigset_t
	set.Val[n/64] = 1 << (n % 64)
	// Cannot fail: the set is valid and so is the request.
	_ = unix.PthreadSigmask(unix.SIG_UNBLOCK, &set, nil)
}
