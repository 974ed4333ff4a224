// Package process starts programs the way a shell does, and waits for them:
// fork, dup2, close, exec (UNPv2 appendix; APUE 8). See execve(2), waitpid(2).
//
// Unlike os/exec it copies nothing, starts no goroutine and opens no descriptor:
// descriptors are given as numbers and handed on as they are. A failed exec is an
// error of Start. Descriptors of this process that are not close-on-exec are
// inherited, as POSIX has it.
//
// # Signals
//
// A child starts with the signals ignored and blocked that this process found
// ignored and blocked when it was started itself, as a shell's children do (so
// nohup works); what the Go runtime or signal.Notify has changed since is not
// handed on. [Cmd.DefaultSignals] ignores and blocks none.
package process

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#include "unp_process.h"
*/
import "C"

import (
	"context"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/process"
	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
)

// Cmd describes a program to start.
type Cmd struct {
	// Args is the argument vector. Args[0] names the program: it is looked for
	// in $PATH of this process unless it has a slash.
	Args []string
	// Env is the environment as KEY=VALUE; nil: this process's.
	Env []string
	// Dir is the working directory; "": this process's.
	Dir string
	// Files[i] becomes descriptor i of the program; -1 closes it there. Further
	// descriptors are inherited if they are not close-on-exec.
	Files []int
	// Close lists further descriptors to close in the program.
	Close []int
	// Group puts the program into a process group: its own (0) or the given
	// one. nil: this process's.
	Group *int
	// DefaultSignals starts the program with no signal ignored or blocked.
	DefaultSignals bool
}

// Process is a child that was started and not yet waited for.
type Process struct {
	pid int
}

// Start starts the program. It returns when the program has been exec'ed, so its
// errors include those of the exec.
//
// Errors: *fs.PathError with Op "exec" (Err ENOENT, EACCES, ENOEXEC, E2BIG, …) or
// "chdir"; *os.SyscallError for vfork, dup2 and setpgid.
func Start(c *Cmd) (*Process, error) {
	if len(c.Args) == 0 || c.Args[0] == "" {
		return nil, &fs.PathError{Op: "exec", Path: "", Err: unix.ENOENT}
	}
	env := c.Env
	if env == nil {
		env = os.Environ()
	}
	for _, list := range [][]string{c.Args, env, {c.Dir}} {
		for _, s := range list {
			if strings.IndexByte(s, 0) >= 0 {
				return nil, &fs.PathError{Op: "exec", Path: c.Args[0], Err: unix.EINVAL}
			}
		}
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	paths := candidates(c.Args[0])
	sp := C.struct_unp_spawn{
		paths: pack(&pin, paths), npaths: C.size_t(len(paths)),
		args: pack(&pin, c.Args), nargs: C.size_t(len(c.Args)),
		env: pack(&pin, env), nenv: C.size_t(len(env)),
		fds: ints(&pin, c.Files), nfds: C.size_t(len(c.Files)),
		closing: ints(&pin, c.Close), nclosing: C.size_t(len(c.Close)),
		pgid: -1,
	}
	if c.Dir != "" {
		sp.dir = pack(&pin, []string{c.Dir})
	}
	if c.Group != nil {
		sp.pgid = C.pid_t(*c.Group)
	}
	if !c.DefaultSignals {
		C.unp_initial_signals(&sp.ignored, &sp.blocked)
	}
	var pid C.pid_t
	var step C.int
	if errno := syscall.Errno(C.unp_spawn(&sp, &pid, &step)); errno != 0 {
		switch step {
		case C.UNP_SPAWN_EXEC:
			return nil, errs.Path("exec", c.Args[0], errno)
		case C.UNP_SPAWN_CHDIR:
			return nil, errs.Path("chdir", c.Dir, errno)
		case C.UNP_SPAWN_DUP:
			return nil, errs.Call("dup2", errno)
		case C.UNP_SPAWN_PGID:
			return nil, errs.Call("setpgid", errno)
		}
		return nil, errs.Call("vfork", errno)
	}
	return &Process{pid: int(pid)}, nil
}

// candidates are the files that execvp(3) would try for name, in its order.
func candidates(name string) []string {
	if strings.Contains(name, "/") {
		return []string{name}
	}
	path, set := os.LookupEnv("PATH")
	if !set {
		path = "/bin:/usr/bin" // confstr(_CS_PATH)
	}
	var files []string
	for dir := range strings.SplitSeq(path, ":") {
		if dir == "" {
			dir = "."
		}
		files = append(files, dir+"/"+name)
	}
	return files
}

// pack lays strings out one behind the other, each with its NUL.
func pack(pin *runtime.Pinner, list []string) *C.char {
	n := 1
	for _, s := range list {
		n += len(s) + 1
	}
	b := make([]byte, 0, n)
	for _, s := range list {
		b = append(append(b, s...), 0)
	}
	p := &b[:1][0]
	pin.Pin(p)
	return (*C.char)(unsafe.Pointer(p))
}

// ints is a C copy of list, nil when it is empty.
func ints(pin *runtime.Pinner, list []int) *C.int {
	if len(list) == 0 {
		return nil
	}
	v := make([]C.int, len(list))
	for i, n := range list {
		v[i] = C.int(n)
	}
	pin.Pin(&v[0])
	return &v[0]
}

// Pid is the process id; valid until the process has been waited for.
func (p *Process) Pid() int { return p.pid }

// Signal sends a signal. Error: *os.SyscallError (ESRCH once it is waited for).
func (p *Process) Signal(sig syscall.Signal) error {
	if p.pid <= 0 {
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
	if p.pid <= 0 {
		return 0, errs.Call("waitpid", unix.ECHILD)
	}
	_, st, err := wait(ctx, p.pid)
	if err == nil {
		p.pid = 0
	}
	return st, err
}

// WaitAny waits for any child of this process, whoever started it, and returns
// its pid. It is for programs that own all their children; where os/exec or
// another [Process] may wait too, they lose theirs to it.
// Error: *os.SyscallError (ECHILD when there are no children).
func WaitAny(ctx context.Context) (pid int, st Status, err error) { return wait(ctx, -1) }

func wait(ctx context.Context, pid int) (int, Status, error) {
	var ws unix.WaitStatus
	var reaped int
	err := blocking.Do(ctx, func() syscall.Errno {
		var e error
		reaped, e = unix.Wait4(pid, &ws, 0, nil)
		return errs.Errno(e)
	})
	if errno, ok := err.(syscall.Errno); ok {
		err = errs.Call("waitpid", errno)
	}
	return reaped, Status(ws), err
}
