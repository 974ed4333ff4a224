package ipctest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// isolatedEnv marks the test process inside its namespaces.
const isolatedEnv = "UNPIPC_IPCTEST_ISOLATED"

// unsettled is the exit status of a test process that could not furnish its
// namespaces and has run no test.
const unsettled = 125

// Isolated says whether the tests run in namespaces of their own: nobody else sees, makes
// or removes their objects.
func Isolated() bool { return os.Getenv(isolatedEnv) != "" }

// isolate runs this test binary again in namespaces of its own and returns its
// exit status; where that cannot be done, why is the reason. In the process it
// started it furnishes the namespaces, and done is false.
func isolate() (code int, done bool, why string) {
	if Isolated() {
		if err := settle(); err != nil {
			fmt.Fprintln(os.Stderr, "ipctest: private namespaces:", err)
			return unsettled, true, ""
		}
		return 0, false, ""
	}
	if os.Geteuid() != 0 {
		return 0, false, "not root"
	}
	if fuzzing() {
		return 0, false, "fuzzing"
	}
	// The death signal belongs to the thread that starts the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), isolatedEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWIPC | unix.CLONE_NEWNS | unix.CLONE_NEWNET,
		Pdeathsig:  unix.SIGKILL,
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, false, err.Error()
	}
	if cmd.ProcessState.ExitCode() == unsettled {
		return 0, false, "mounting failed"
	}
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		fmt.Fprintf(os.Stderr, "tests killed: %s\n", ws.Signal())
		return 128 + int(ws.Signal()), true, ""
	}
	return cmd.ProcessState.ExitCode(), true, ""
}

// settle furnishes the new namespaces.
func settle() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("mount /", err)
	}
	for _, m := range []struct{ kind, dir, options string }{
		{"mqueue", "/dev/mqueue", ""},
		{"tmpfs", "/dev/shm", "mode=1777"},
	} {
		if err := os.MkdirAll(m.dir, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.dir, m.kind, 0, m.options); err != nil {
			return os.NewSyscallError("mount "+m.dir, err)
		}
	}
	// The bytes of all message queues are counted by user, not by namespace: packages
	// that are tested at the same time would share ten default queues. Without
	// CAP_SYS_RESOURCE it stays as it is.
	_ = unix.Setrlimit(unix.RLIMIT_MSGQUEUE, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
	return loopbackUp()
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return os.NewSyscallError("ioctl lo", unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr))
}

// fuzzing says that this is "go test -fuzz" or one of its workers, which get their
// orders through inherited descriptors.
func fuzzing() bool {
	return slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "-test.fuzz") })
}
