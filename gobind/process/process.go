// Package process starts programs the way a shell does, and waits for them:
// fork, dup2, close, exec (UNPv2 1.5, APUE 8). See execve(2), waitpid(2).
//
// Unlike os/exec it copies nothing, starts no goroutine and opens no descriptor:
// descriptors are given as numbers and handed on as they are. A failed exec is an
// error of Start. Descriptors of this process that are not close-on-exec are
// inherited, as POSIX has it.
//
// # What a program is started with
//
// The signals ignored and blocked are those that this process found ignored and
// blocked when it was started itself, as a shell's children have them (so nohup
// works). What the Go runtime, signal.Notify or signal.Ignore has changed since is
// not handed on. [Cmd.DefaultSignals] ignores and blocks none.
//
// The same goes for the soft limit of open files, which the Go runtime raises: a
// program gets the one that this process was started with, unless this process
// has set another since.
package process

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#include "unp_process.h"
*/
import "C"

import (
	"math"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/process"
	"unpipc/gobind/internal/errs"
)

// Cmd describes a program to start.
type Cmd struct {
	// Args is the argument vector. Args[0] names the program: it is looked for
	// in $PATH of this process unless it has a slash.
	Args []string
	// Path is the file to execute instead, where Args[0] is to differ from it;
	// it is not looked for in $PATH.
	Path string
	// Env is the environment as KEY=VALUE; nil: this process's.
	Env []string
	// Dir is the working directory; "": this process's. A relative program is
	// looked for from there.
	Dir string
	// Files[i] becomes descriptor i of the program; -1 closes it there. Any
	// permutation will do. Further descriptors are inherited if they are not
	// close-on-exec.
	Files []int
	// Close lists further descriptors, from len(Files) up, to close in the
	// program; it need not have them open.
	Close []int
	// Group puts the program into a process group: its own (0) or the given
	// one. nil: this process's.
	Group *int
	// DefaultSignals starts the program with no signal ignored or blocked.
	DefaultSignals bool
	// Ignore lists further signals that the program starts ignoring.
	Ignore []syscall.Signal
}

// initial is what this process was started with, and raised the limit of open
// files that Go's start-up made of that.
var initial, raised = func() (in C.struct_unp_initial, raised uint64) {
	C.unp_initial(&in)
	return in, openFilesLimit()
}()

func openFilesLimit() uint64 {
	var files unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) != nil {
		return 0
	}
	return files.Cur
}

// Start starts the program. It returns when the program has been exec'ed, so its
// errors include those of the exec. The kernel closes close-on-exec descriptors an
// instant after that.
//
// Errors: *fs.PathError with Op "exec" (Err ENOENT, EACCES, ENOEXEC, E2BIG, EINVAL
// for a string with a NUL in it, …) or "chdir"; *os.SyscallError for vfork, dup2
// (EBADF for what is not open) and setpgid.
func Start(c *Cmd) (*Process, error) {
	if len(c.Args) == 0 || c.Args[0] == "" {
		return nil, errs.Path("exec", "", unix.ENOENT)
	}
	env := c.Env
	if env == nil {
		env = os.Environ()
	}
	if hasNUL(c.Args) || hasNUL(env) || strings.IndexByte(c.Path, 0) >= 0 {
		return nil, errs.Path("exec", c.Args[0], unix.EINVAL)
	}
	if strings.IndexByte(c.Dir, 0) >= 0 {
		return nil, errs.Path("chdir", c.Dir, unix.EINVAL)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	paths := []string{c.Path}
	if c.Path == "" {
		paths = candidates(c.Args[0])
	}
	sp := C.struct_unp_spawn{
		paths: pack(&pin, paths), npaths: C.size_t(len(paths)),
		args: pack(&pin, c.Args), nargs: C.size_t(len(c.Args)),
		env: pack(&pin, env), nenv: C.size_t(len(env)),
		nfds: C.size_t(len(c.Files)), nclosing: C.size_t(len(c.Close)),
		pgid: -1,
	}
	var ok bool
	if sp.fds, ok = ints(&pin, c.Files); !ok {
		return nil, errs.Call("dup2", unix.EBADF)
	}
	if sp.closing, ok = ints(&pin, c.Close); !ok {
		return nil, errs.Call("close", unix.EBADF)
	}
	if c.Dir != "" {
		sp.dir = pack(&pin, []string{c.Dir})
	}
	if c.Group != nil {
		if *c.Group < 0 || *c.Group > math.MaxInt32 {
			return nil, errs.Call("setpgid", unix.EINVAL)
		}
		sp.pgid = C.pid_t(*c.Group)
	}
	if !c.DefaultSignals {
		sp.ignored, sp.blocked = initial.ignored, initial.blocked
	}
	for _, sig := range c.Ignore {
		if sig < 1 || sig > 64 {
			return nil, errs.Call("sigaction", unix.EINVAL)
		}
		sp.ignored |= 1 << (sig - 1)
	}
	if openFilesLimit() == raised {
		sp.nofile = initial.nofile
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

func hasNUL(list []string) bool {
	for _, s := range list {
		if strings.IndexByte(s, 0) >= 0 {
			return true
		}
	}
	return false
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

// ints is a C copy of list, nil when it is empty; !ok if a number has no place in
// an int.
func ints(pin *runtime.Pinner, list []int) (p *C.int, ok bool) {
	if len(list) == 0 {
		return nil, true
	}
	v := make([]C.int, len(list))
	for i, n := range list {
		if n < math.MinInt32 || n > math.MaxInt32 {
			return nil, false
		}
		v[i] = C.int(n)
	}
	pin.Pin(&v[0])
	return &v[0], true
}
