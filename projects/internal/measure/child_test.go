package measure_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pipe"
	"unpipc/projects/internal/measure"
)

func shell(script string) measure.Command { return measure.Command{Args: []string{"sh", "-c", script}} }

func TestOutputsOfProgramsThatRanTogetherAreReturned(t *testing.T) {
	out, err := measure.Together(t.Context(), &quick, shell("echo one; echo ignored >&2"), shell("cat; echo two"))
	require.NoError(t, err)
	assert.Equal(t, []string{"one\n", "two\n"}, out)
}

func TestProgramThatFailsEndsTheOthersAndSaysWhy(t *testing.T) {
	fail := shell("echo 'sh: message 7: wrong' >&2; exit 1")
	_, err := measure.Together(t.Context(), &quick, shell("sleep 1000"), fail)
	require.EqualError(t, err, "sh: message 7: wrong")

	fail = measure.Command{Name: "recv", Args: []string{"sh", "-c", "kill -9 $$"}}
	_, err = measure.Together(t.Context(), &quick, fail, shell("sleep 1000"))
	assert.EqualError(t, err, "recv: killed by SIGKILL (killed)")
}

func TestProgramThatCannotStartEndsTheOthers(t *testing.T) {
	_, err := measure.Together(t.Context(), &quick, shell("sleep 1000"), measure.Command{Args: []string{"/nowhere/x"}})
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.EqualError(t, err, "exec /nowhere/x: no such file or directory", "the others have nothing to add")
}

func TestWatchdogKillsTheWholeGroupAndNamesItsReason(t *testing.T) {
	in, out, err := pipe.New(0)
	require.NoError(t, err)
	defer in.Close()
	reason := errors.New("too late")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, reason)
	defer cancel()
	// Both the shell and what it started hold the pipe: end of file says that both are gone.
	cmd := shell("sleep 1000 & trap '' TERM INT; sleep 1001")
	cmd.Files = []int{out.Fd()}
	cmd.Started = func() { assert.NoError(t, out.Close()) }
	_, err = measure.Together(ctx, &quick, cmd)
	require.ErrorIs(t, err, reason)
	_, err = in.ReadContext(t.Context(), make([]byte, 1))
	assert.ErrorContains(t, err, "EOF")
}

func TestServerIsAwaitedAndStopped(t *testing.T) {
	ready := func(output string) bool { return strings.HasSuffix(output, "ready\n") }
	reason := errors.New("too late")
	for name, test := range map[string]struct {
		script         string
		timeout        time.Duration
		awaited, ended string // regular expressions for the errors, "" for none
	}{
		"it serves until it is told to end": {"trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done", time.Minute, "", ""},
		"it ends before it is ready":        {"echo rea; echo broken >&2; exit 1", time.Minute, "^the server has ended$", "^server: broken$"},
		"it does not become ready":          {"exec sleep 1000", 50 * time.Millisecond, "^too late$", "too late|SIGTERM"},
		"it ends by the signal":             {"echo ready; exec sleep 1000", time.Minute, "", "^server: killed by SIGTERM"},
	} {
		ctx, cancel := context.WithTimeoutCause(t.Context(), test.timeout, reason)
		server, err := measure.Start(ctx, &quick, 0, measure.Command{Name: "server", Args: shell(test.script).Args})
		require.NoError(t, err)
		awaited := server.Await(ready)
		stopped := server.Stop()
		cancel()
		assert.Regexp(t, test.awaited, said(awaited), name)
		assert.Regexp(t, test.ended, said(stopped), name)
		assert.Equal(t, test.awaited == "", awaited == nil, name)
		assert.Equal(t, test.ended == "", stopped == nil, name)
	}
}

// said is what an error says, or nothing.
func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestWhatAProgramLeavesBehindEndsWithIt(t *testing.T) {
	in, out, err := pipe.New(0)
	require.NoError(t, err)
	defer in.Close()
	cmd := shell("sleep 1000 & exit 0")
	cmd.Files = []int{out.Fd()}
	cmd.Started = func() { assert.NoError(t, out.Close()) }
	_, err = measure.Together(t.Context(), &quick, cmd)
	require.NoError(t, err)
	_, err = in.Read(make([]byte, 1))
	assert.ErrorContains(t, err, "EOF")
}

func TestServerIsWatchedWhileItRunsAndStoppedBySignal(t *testing.T) {
	c, err := measure.Start(t.Context(), &quick, 0, shell("trap 'echo stopped; exit 0' TERM; echo ready; while :; do sleep 0.01; done"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return c.Output() == "ready\n" }, 10*time.Second, time.Millisecond)
	require.NoError(t, c.Signal(unix.SIGTERM))
	out, err := c.Wait()
	require.NoError(t, err)
	assert.Equal(t, "ready\nstopped\n", out)
}

func TestPinnedProgramsKeepToTheirCPUsInTurn(t *testing.T) {
	cpus := measure.TwoCPUs()
	ipctest.Require(t, cpus != nil, "two CPUs")
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &before))
	cfg := quick
	cfg.Pin = cpus
	show := shell("grep Cpus_allowed_list /proc/self/status | cut -f2")
	out, err := measure.Together(t.Context(), &cfg, show, show, show)
	require.NoError(t, err)
	a, b := out[0], out[1]
	assert.NotEqual(t, a, b)
	assert.Equal(t, a, out[2])
	assert.NotContains(t, strings.TrimSpace(a), "-", "one CPU each")
	require.NoError(t, unix.SchedGetaffinity(0, &after))
	assert.Equal(t, before, after, "this process keeps its own")

	cfg.Pin = []int{1023}
	_, err = measure.Together(t.Context(), &cfg, show)
	require.ErrorIs(t, err, unix.EINVAL)
	assert.ErrorContains(t, err, "CPU 1023")
}

func TestRealTimeProgramsAreScheduledRoundRobin(t *testing.T) {
	cfg := quick
	cfg.RealTime = true
	// Field 41 of stat(5) is the policy: 2 is SCHED_RR.
	out, err := measure.Together(t.Context(), &cfg, shell("cut -d' ' -f41 /proc/self/stat"))
	if errors.Is(err, unix.EPERM) { // without CAP_SYS_NICE, in a container for one
		assert.ErrorContains(t, err, "real-time scheduling")
		return
	}
	require.NoError(t, err)
	assert.Equal(t, "2\n", out[0])
	out, err = measure.Together(t.Context(), &quick, shell("cut -d' ' -f41 /proc/self/stat"))
	require.NoError(t, err)
	assert.Equal(t, "0\n", out[0])
}

func TestMachineIsDescribedInOneLine(t *testing.T) {
	m := measure.DescribeMachine(t.Context())
	assert.Positive(t, m.Cores)
	assert.NotEmpty(t, m.Kernel)
	assert.Contains(t, runtime.Version(), strings.Fields(m.Go)[0])
	assert.NotContains(t, m.String(), "\n")
	for _, part := range []string{m.CPU, m.Kernel, m.Go, m.Compiler, m.Load, m.Date} {
		assert.Contains(t, m.String(), part)
	}
	assert.Contains(t, measure.Machine{}.String(), "governor unknown")
	assert.True(t, measure.Machine{Load: "0.50 0.1 0.1"}.Busy())
	assert.False(t, measure.Machine{Load: "0.49 9 9"}.Busy())
	assert.False(t, measure.Machine{}.Busy())
}
