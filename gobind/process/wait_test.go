package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/process"
)

func TestEveryExitStatusComesBack(t *testing.T) {
	for code := range 256 {
		p, err := process.Start(&process.Cmd{Args: []string{"/bin/sh", "-c", "exit " + strconv.Itoa(code)}})
		require.NoError(t, err)
		st, err := p.Wait()
		require.NoError(t, err)
		assert.True(t, st.Exited())
		assert.Equal(t, code, st.Code())
		assert.Equal(t, code, st.Shell())
		assert.Equal(t, syscall.Signal(-1), st.Signal())
		assert.Equal(t, fmt.Sprintf("exit status %d", code), st.String())
	}
}

func TestDeathByASignalComesBack(t *testing.T) {
	for sig, text := range map[syscall.Signal]string{
		unix.SIGHUP:  "killed by SIGHUP (hangup)",
		unix.SIGKILL: "killed by SIGKILL (killed)",
		unix.SIGUSR1: "killed by SIGUSR1 (user defined signal 1)",
		unix.SIGPIPE: "killed by SIGPIPE (broken pipe)",
		unix.SIGTERM: "killed by SIGTERM (terminated)",
		34:           "killed by signal 34 (signal 34)",
		64:           "killed by signal 64 (signal 64)",
	} {
		p := sleeper(t, process.Cmd{DefaultSignals: true})
		require.NoError(t, p.Signal(sig))
		st, err := p.Wait()
		require.NoError(t, err)
		assert.False(t, st.Exited())
		assert.Equal(t, -1, st.Code())
		assert.Equal(t, sig, st.Signal())
		assert.Equal(t, 128+int(sig), st.Shell())
		assert.False(t, st.Dumped())
		assert.Equal(t, text, st.String())
	}
}

func TestACoreDumpIsToldAsOsExecTellsIt(t *testing.T) {
	dump := []string{"/bin/sh", "-c", "ulimit -c unlimited; kill -QUIT $$"}
	cmd := exec.Command(dump[0], dump[1:]...)
	cmd.Dir = t.TempDir()
	err := cmd.Run()
	require.Error(t, err)
	p, err := process.Start(&process.Cmd{Args: dump, Dir: t.TempDir(), DefaultSignals: true})
	require.NoError(t, err)
	st, err := p.Wait()
	require.NoError(t, err)
	assert.Equal(t, unix.SIGQUIT, st.Signal())
	assert.Equal(t, cmd.ProcessState.Sys().(syscall.WaitStatus).CoreDump(), st.Dumped())

	dumped := process.Status(0x80 | int(unix.SIGABRT))
	assert.True(t, dumped.Dumped())
	assert.Equal(t, "killed by SIGABRT (aborted), core dumped", dumped.String())
	assert.Equal(t, 128+6, dumped.Shell())
}

func TestAStoppedProcessHasNotEnded(t *testing.T) {
	p := sleeper(t, process.Cmd{DefaultSignals: true})
	require.NoError(t, p.Signal(unix.SIGSTOP))
	var info unix.Siginfo
	require.NoError(t, unix.Waitid(unix.P_PID, p.Pid(), &info, unix.WSTOPPED|unix.WNOWAIT, nil))
	result := make(chan process.Status)
	go func() {
		st, err := p.Wait()
		assert.NoError(t, err)
		result <- st
	}()
	require.NoError(t, p.Signal(unix.SIGCONT))
	require.NoError(t, p.Signal(unix.SIGTERM))
	assert.Equal(t, unix.SIGTERM, (<-result).Signal(), "what it waited for was the end")
}

func TestAProcessIsWaitedForOnce(t *testing.T) {
	p, err := process.Start(&process.Cmd{Args: []string{"/bin/true"}})
	require.NoError(t, err)
	pid := p.Pid()
	assert.NoError(t, p.Signal(0))
	_, err = p.Wait()
	require.NoError(t, err)
	_, err = p.Wait()
	assert.ErrorIs(t, err, unix.ECHILD)
	assert.ErrorIs(t, p.Signal(unix.SIGTERM), unix.ESRCH)
	assert.Equal(t, pid, p.Pid())
	var call *os.SyscallError
	require.ErrorAs(t, err, &call)
	assert.Equal(t, "waitpid", call.Syscall)
}

func TestOnlyOneOfManyWaitersGetsTheStatus(t *testing.T) {
	p := sleeper(t, process.Cmd{DefaultSignals: true})
	var got, refused int
	var mu sync.Mutex
	var waiting sync.WaitGroup
	for range 20 {
		waiting.Go(func() {
			st, err := p.Wait()
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && st.Signal() == unix.SIGTERM:
				got++
			case errors.Is(err, unix.ECHILD):
				refused++
			}
		})
	}
	// Signals and the end of the waiting meet.
	for p.Signal(unix.SIGTERM) == nil {
	}
	waiting.Wait()
	assert.Equal(t, 1, got)
	assert.Equal(t, 19, refused)
}

func TestNobodysChildIsNotWaitedForOrSignalled(t *testing.T) {
	for _, pid := range []int{0, -1, 1, os.Getpid()} {
		p := process.Adopt(pid)
		_, err := p.Wait()
		assert.ErrorIs(t, err, unix.ECHILD)
		if pid <= 0 {
			assert.ErrorIs(t, p.Signal(0), unix.ESRCH, "not the whole group")
		}
	}
}

func TestACancelledWaitLeavesTheProcess(t *testing.T) {
	p := sleeper(t, process.Cmd{DefaultSignals: true})
	why := errors.New("enough")
	for range 100 {
		ctx, cancel := context.WithCancelCause(context.Background())
		go cancel(why)
		_, err := p.WaitContext(ctx)
		require.ErrorIs(t, err, why)
	}
	require.NoError(t, p.Signal(unix.SIGTERM))
	st, err := p.WaitContext(context.Background())
	require.NoError(t, err)
	assert.Equal(t, unix.SIGTERM, st.Signal())
}

// In a process of its own, because Ended sees every child there is.
var _ = ipctest.Role("ended", func([]string) int {
	ctx := context.Background()
	if _, err := process.Ended(ctx); !errors.Is(err, unix.ECHILD) {
		return 10
	}
	running := map[int]*process.Process{}
	for code := range 20 {
		p, err := process.Start(&process.Cmd{Args: []string{"/bin/sh", "-c", "exit " + strconv.Itoa(code)}})
		if err != nil {
			return 11
		}
		running[p.Pid()] = p
	}
	other := exec.Command("/bin/sh", "-c", "exit 20")
	if other.Start() != nil {
		return 12
	}
	sum := 0
	for range 21 {
		pid, err := process.Ended(ctx)
		if err != nil {
			return 13
		}
		p := running[pid]
		delete(running, pid)
		if p == nil && pid == other.Process.Pid {
			p = process.Adopt(pid)
		}
		if p == nil || p.Signal(0) != nil {
			return 14 // it is still there
		}
		st, err := p.Wait()
		if err != nil {
			return 15
		}
		sum += st.Code()
	}
	stays, err := process.Start(&process.Cmd{Args: []string{"/bin/sleep", "60"}})
	if err != nil {
		return 16
	}
	cancelled, cancel := context.WithCancel(ctx)
	go cancel()
	if _, err := process.Ended(cancelled); !errors.Is(err, context.Canceled) {
		return 17
	}
	if stays.Signal(unix.SIGKILL) != nil {
		return 18
	}
	if pid, err := process.Ended(ctx); err != nil || pid != stays.Pid() {
		return 19
	}
	if st, err := stays.Wait(); err != nil || st.Signal() != unix.SIGKILL {
		return 20
	}
	return sum
})

func TestEndedNamesEveryChildOnceItIsWaitedFor(t *testing.T) {
	cmd := ipctest.Command(t, "ended")
	cmd.Run()
	assert.Equal(t, 20*21/2, cmd.ProcessState.ExitCode(), "the sum of all statuses")
}
