package process_test

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/process"
)

// printSignals prints what a program it starts has ignored and blocked.
func printSignals(defaults bool) int {
	p, err := process.Start(&process.Cmd{
		Args:           []string{"/bin/cat", "/proc/self/status"},
		Files:          []int{0, 1, 2},
		DefaultSignals: defaults,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 10
	}
	st, _ := p.Wait()
	return st.Code()
}

// block blocks signals for this thread, to which it binds the caller.
func block(list ...syscall.Signal) error {
	runtime.LockOSThread()
	var set unix.Sigset_t
	for _, s := range list {
		set.Val[0] |= 1 << (s - 1)
	}
	return unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil)
}

var (
	_ = ipctest.Role("signals", func([]string) int { return printSignals(false) })
	_ = ipctest.Role("default signals", func([]string) int { return printSignals(true) })
	_ = ipctest.Role("signals after os/signal", func([]string) int {
		signal.Notify(make(chan os.Signal, 1))
		signal.Ignore(unix.SIGUSR1, unix.SIGPIPE, unix.SIGINT, syscall.Signal(40))
		return printSignals(false)
	})
	_ = ipctest.Role("signals on a thread that blocks", func([]string) int {
		if block(unix.SIGUSR1, unix.SIGTERM, syscall.Signal(40)) != nil {
			return 11
		}
		return printSignals(false)
	})
	// exec'ed by a role that ignores and blocks: the rest of the arguments.
	_ = ipctest.Role("exec with signals blocked and ignored", func(args []string) int {
		signal.Ignore(unix.SIGUSR2, unix.SIGCHLD, syscall.Signal(41))
		if block(unix.SIGUSR1, syscall.Signal(40), syscall.Signal(63)) != nil {
			return 11
		}
		fmt.Fprintln(os.Stderr, syscall.Exec(args[0], args, os.Environ()))
		return 12
	})
)

func TestAProgramHasTheSignalsThisProcessWasStartedWith(t *testing.T) {
	shell := func(script string, role string) []string {
		return append([]string{"/bin/sh", "-c", script + `; exec "$@"`, "sh"}, ipctest.RoleArgs(role)...)
	}
	const usr1, usr2, chld, sig40, sig41, sig63 = unix.SIGUSR1, unix.SIGUSR2, unix.SIGCHLD, syscall.Signal(40), syscall.Signal(41), syscall.Signal(63)
	for name, c := range map[string]struct {
		start            []string
		ignored, blocked []syscall.Signal
	}{
		"started normally":                     {start: ipctest.RoleArgs("signals")},
		"started by nohup":                     {start: append([]string{"nohup"}, ipctest.RoleArgs("signals")...), ignored: []syscall.Signal{unix.SIGHUP}},
		"with SIGPIPE ignored":                 {start: shell("trap '' PIPE", "signals"), ignored: []syscall.Signal{unix.SIGPIPE}},
		"with SIGINT and SIGQUIT ignored":      {start: shell("trap '' INT QUIT", "signals"), ignored: []syscall.Signal{unix.SIGINT, unix.SIGQUIT}},
		"with some caught by what exec'ed it":  {start: shell("trap : TERM USR1", "signals")},
		"blocked and ignored":                  {start: ipctest.RoleArgs("exec with signals blocked and ignored", ipctest.RoleArgs("signals")...), ignored: []syscall.Signal{usr2, chld, sig41}, blocked: []syscall.Signal{usr1, sig40, sig63}},
		"which DefaultSignals forgets":         {start: ipctest.RoleArgs("exec with signals blocked and ignored", ipctest.RoleArgs("default signals")...)},
		"whatever os/signal has done since":    {start: ipctest.RoleArgs("signals after os/signal")},
		"even to those it found":               {start: shell("trap '' HUP", "signals after os/signal"), ignored: []syscall.Signal{unix.SIGHUP}},
		"whatever the starting thread blocks":  {start: ipctest.RoleArgs("signals on a thread that blocks")},
		"even if that was blocked all the way": {start: ipctest.RoleArgs("exec with signals blocked and ignored", ipctest.RoleArgs("signals on a thread that blocks")...), ignored: []syscall.Signal{usr2, chld, sig41}, blocked: []syscall.Signal{usr1, sig40, sig63}},
	} {
		t.Run(name, func(t *testing.T) {
			// Whatever the tests themselves were started with.
			out, st := output(t, process.Cmd{Args: c.start, DefaultSignals: true})
			require.Zero(t, st.Code(), out)
			assert.Equal(t, c.ignored, set(t, out, "SigIgn"), "ignored")
			assert.Equal(t, c.blocked, set(t, out, "SigBlk"), "blocked")
		})
	}
}

// set reads one of the sets of signals in /proc/PID/status, but for 32 and 33: they
// are glibc's own, and what its posix_spawn starts (make's commands) ignores them.
func set(t *testing.T, status, name string) (list []syscall.Signal) {
	t.Helper()
	_, rest, ok := strings.Cut(status, name+":")
	require.True(t, ok, status)
	bits, err := strconv.ParseUint(strings.Fields(rest)[0], 16, 64)
	require.NoError(t, err)
	for s := syscall.Signal(1); s <= 64; s++ {
		if bits>>(s-1)&1 == 1 && s != 32 && s != 33 {
			list = append(list, s)
		}
	}
	return list
}

func TestASignalBeforeTheExecDoesNotReachAHandlerOfThisProcess(t *testing.T) {
	// Children share this process's memory until they exec: a handler run there
	// would be run on this process's data. All are in a group that is being
	// signalled the whole time.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, unix.SIGUSR1)
	defer signal.Stop(caught)
	own := 0
	leader := sleeper(t, process.Cmd{Args: []string{"/bin/sh", "-c", "trap '' USR1; exec sleep 60"}, Group: &own})
	ipctest.Eventually(t, func() bool {
		return strings.Contains(fmt.Sprint(set(t, proc(t, leader, "status"), "SigIgn")), unix.SIGUSR1.String())
	}, "the leader ignores the signal")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Kill(-leader.Pid(), unix.SIGUSR1)
			}
		}
	}()
	group, killed := leader.Pid(), 0
	for i := 0; i < 100 || killed == 0 && i < 10_000; i++ {
		p, err := process.Start(&process.Cmd{Args: []string{"/bin/true"}, Group: &group, DefaultSignals: true})
		require.NoError(t, err)
		st, err := p.Wait()
		require.NoError(t, err)
		if st.Signal() == unix.SIGUSR1 {
			killed++
		} else {
			require.Zero(t, st.Code())
		}
	}
	close(stop)
	<-stopped
	assert.Positive(t, killed, "the signal came early in some")
	assert.Empty(t, caught, "and never here")
}
