package p03popen

import (
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

func ignoredSignal(t *trial) {
	defer ignore(unix.SIGUSR1)()
	exchange(t)
}

func caughtSignal(t *trial) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGUSR1)
	defer signal.Stop(c)
	exchange(t)
}

func childrenIgnored(t *trial) {
	defer ignore(unix.SIGCHLD)()
	exchange(t)
}

// ignore ignores a signal until the function it returns is called. signal.Reset
// alone does not undo signal.Ignore in the kernel: a handler must be put in.
func ignore(sig unix.Signal) (undo func()) {
	signal.Ignore(sig)
	return func() {
		c := make(chan os.Signal, 1)
		signal.Notify(c, sig)
		signal.Stop(c)
	}
}

// interrupted gives the signal to the very thread that waits, without SA_RESTART.
func interrupted(t *trial) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	arrived := make(chan os.Signal, 3)
	signal.Notify(arrived, unix.SIGUSR1)
	defer signal.Stop(arrived)
	doNotRestart(unix.SIGUSR1)
	_ = os.Setenv(variable, strconv.Itoa(unix.Gettid()))
	defer os.Unsetenv(variable)
	s := t.open(t.Command, t.Mode)
	if s == nil {
		return
	}
	t.close(s, t.returns)
	<-arrived
	t.say("Signals arrived: yes")
}

// doNotRestart takes SA_RESTART from the handler that the Go runtime has put in,
// as siginterrupt(3) does in C: a system call that sig interrupts then fails with
// EINTR. signal.Stop undoes it together with the handler.
func doNotRestart(sig unix.Signal) {
	const saRestart = 0x10000000
	// The kernel's struct sigaction: handler and flags first, the rest differs.
	var act [8]uintptr
	for _, call := range [][2]*[8]uintptr{{nil, &act}, {&act, nil}} {
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
			uintptr(unsafe.Pointer(call[0])), uintptr(unsafe.Pointer(call[1])), 8, 0, 0)
		if errno != 0 {
			panic(os.NewSyscallError("rt_sigaction", errno))
		}
		act[1] &^= saRestart
	}
}
