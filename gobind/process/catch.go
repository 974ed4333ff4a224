package process

/*
#include "unp_process.h"
*/
import "C"

import (
	"syscall"

	"unpipc/gobind/internal/errs"
)

// Catch keeps signals for [NextCaught], which would end this process or do nothing,
// but ignores those that it was started ignoring. It is os/signal for a program that
// ends after a millisecond: there the first Notify starts two threads, and each signal
// is admitted by one of them, which has to be woken up for it. Here a handler notes them.
// The same signal is not to be given to both.
// Error: *os.SyscallError (EINVAL for what no handler can have).
func Catch(list ...syscall.Signal) error {
	for _, sig := range list {
		if errno := C.unp_catch(C.int(sig)); errno != 0 {
			return errs.Call("sigaction", syscall.Errno(errno))
		}
	}
	return nil
}

// Die ends this process by a signal, caught or not, so that its parent sees what
// happened. It returns only where the signal does not end a process by default.
// Error: *os.SyscallError (EINVAL for no signal).
func Die(sig syscall.Signal) error {
	return errs.Call("raise", syscall.Errno(C.unp_die(C.int(sig))))
}

// FirstCaught is the first signal that came after [Catch], 0 while none has. It takes
// nothing from [NextCaught].
func FirstCaught() syscall.Signal { return syscall.Signal(C.unp_first_caught()) }

// NextCaught waits for a signal and takes it. One that comes again before it is taken
// counts once, and of several the least goes first. It sleeps in C, on a thread.
func NextCaught() syscall.Signal { return syscall.Signal(C.unp_next_caught()) }
