package process

import (
	"context"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
)

// Process is a child of this process. Its methods may be called from several
// goroutines at once: a signal never meets a pid that has come to name another
// process, because Signal and the end of Wait exclude each other.
type Process struct {
	pid    int
	mu     sync.Mutex
	reaped bool
}

// Adopt is the process of a child that something else started: a shell, say, that
// exec'ed this program afterwards.
func Adopt(pid int) *Process { return &Process{pid: pid} }

// Pid is the process id. After Wait it may be another process's.
func (p *Process) Pid() int { return p.pid }

// Signal sends a signal; 0 only checks. A process that has ended and was not yet
// waited for takes it without effect.
// Error: *os.SyscallError (ESRCH once it is waited for; EPERM; EINVAL).
func (p *Process) Signal(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	// kill(2) takes 0 and less as process groups.
	if p.reaped || p.pid <= 0 {
		return errs.Call("kill", unix.ESRCH)
	}
	return errs.Call("kill", errs.Errno(unix.Kill(p.pid, sig)))
}

// Wait waits for the process to end and removes it from the process table.
// Error: *os.SyscallError (ECHILD when it was already waited for).
func (p *Process) Wait() (Status, error) { return p.WaitContext(context.Background()) }

// WaitContext is [Process.Wait] until ctx ends; the process is then still there,
// and the error is the cause of ctx.
func (p *Process) WaitContext(ctx context.Context) (Status, error) {
	p.mu.Lock()
	gone := p.reaped || p.pid <= 0 // -1 and 0 would be any child
	p.mu.Unlock()
	if gone {
		return 0, errs.Call("waitpid", unix.ECHILD)
	}
	// In two steps: the first sleeps and takes nothing, so that the second can be
	// done under the lock.
	if _, err := ended(ctx, unix.P_PID, p.pid); err != nil {
		return 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return 0, errs.Call("waitpid", unix.ECHILD)
	}
	var ws unix.WaitStatus
	pid, err := unix.Wait4(p.pid, &ws, unix.WNOHANG, nil)
	if err == nil && pid == 0 {
		// Somebody else waited for it, and the pid is another child's by now.
		err = unix.ECHILD
	}
	if err != nil {
		return 0, errs.Call("waitpid", errs.Errno(err))
	}
	p.reaped = true
	return Status(ws), nil
}

// Ended waits until some child of this process has ended, whoever started it, and
// returns its pid. The child stays to be waited for, so its pid cannot come to
// name another process before [Process.Wait] is called; until then the next call
// may return it again. A child whose exec is just failing in [Start] is seen too.
// Error: *os.SyscallError (ECHILD when there are no children), or the cause of ctx.
func Ended(ctx context.Context) (pid int, err error) { return ended(ctx, unix.P_ALL, 0) }

// ended waits without taking the child out of the process table. See waitid(2).
func ended(ctx context.Context, which, id int) (int, error) {
	var info unix.Siginfo
	err := blocking.Do(ctx, func() syscall.Errno {
		return errs.Errno(unix.Waitid(which, id, &info, unix.WEXITED|unix.WNOWAIT, nil))
	})
	if errno, ok := err.(syscall.Errno); ok {
		err = errs.Call("waitid", errno)
	}
	if err != nil {
		return 0, err
	}
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(&info), siPid))), nil
}

// siPid is the offset of si_pid in siginfo_t: behind three ints, at the alignment
// of a pointer.
const siPid = (3*4 + unsafe.Sizeof(uintptr(0)) - 1) &^ (unsafe.Sizeof(uintptr(0)) - 1)
