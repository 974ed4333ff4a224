package process_test

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/process"
)

var (
	// Sends itself the signals that its arguments tell, and takes each but those that
	// are negative; then it dies by the last.
	_ = ipctest.Role("catch", func(args []string) int {
		if process.Catch(unix.SIGHUP, unix.SIGUSR1, unix.SIGTERM) != nil || process.FirstCaught() != 0 {
			return 10
		}
		var first, last syscall.Signal
		for _, arg := range args {
			n, _ := strconv.Atoi(arg)
			last = syscall.Signal(max(n, -n))
			if unix.Kill(os.Getpid(), last) != nil {
				return 11
			}
			if n < 0 {
				continue
			}
			if first == 0 {
				first = last
			}
			if process.NextCaught() != last || process.FirstCaught() != first {
				return 12
			}
		}
		_ = process.Die(last)
		return 13
	})
)

func TestCaughtSignalsAreTakenAndTheLastOneKillsAllTheSame(t *testing.T) {
	for name, c := range map[string]struct {
		start []string
		by    syscall.Signal
	}{
		"one after the other": {ipctest.RoleArgs("catch", "1", "10", "15", "1", "15"), unix.SIGTERM},
		"but not one that was ignored from the start": {append([]string{"nohup"},
			ipctest.RoleArgs("catch", "-1", "15", "-1", "10")...), unix.SIGUSR1},
		"even one that was blocked from the start": {ipctest.RoleArgs("exec with signals blocked and ignored",
			ipctest.RoleArgs("catch", "10", "15", "10")...), unix.SIGUSR1},
	} {
		t.Run(name, func(t *testing.T) {
			out, st := output(t, process.Cmd{Args: c.start, DefaultSignals: true})
			assert.False(t, st.Exited(), "%s %s", st, out)
			assert.Equal(t, c.by, st.Signal())
		})
	}
}

func TestWhatNoHandlerCanHaveIsNotCaught(t *testing.T) {
	for _, sig := range []syscall.Signal{unix.SIGKILL, unix.SIGSTOP, 0, -1, 65} {
		assert.ErrorIs(t, process.Catch(sig), unix.EINVAL)
	}
}
