package alive_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/alive"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestAProcessIsNamedByWhenItWasStarted(t *testing.T) {
	parent, ok := alive.Started(os.Getppid())
	require.True(t, ok)
	self, ok := alive.Started(os.Getpid())
	require.True(t, ok)
	assert.Greater(t, self, uint64(0))
	assert.GreaterOrEqual(t, self, parent)
	assert.True(t, alive.Is(os.Getpid(), self))
	assert.False(t, alive.Is(os.Getpid(), self-1), "another process had this number before")
	var info unix.Sysinfo_t
	require.NoError(t, unix.Sysinfo(&info))
	assert.LessOrEqual(t, self, uint64(info.Uptime+1)*100, "ticks are hundredths of a second since the start")
}

func TestAProcessWhoseNameLooksLikeItsState(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	odd := filepath.Join(t.TempDir(), "a) Z 1 (2) X")
	require.NoError(t, os.Symlink(sleep, odd))
	cmd := exec.CommandContext(t.Context(), odd, "600")
	require.NoError(t, cmd.Start())
	first, ok := alive.Started(cmd.Process.Pid)
	assert.True(t, ok)
	self, _ := alive.Started(os.Getpid())
	assert.GreaterOrEqual(t, first, self)
	assert.Less(t, first-self, uint64(time.Hour/(10*time.Millisecond)))
	require.NoError(t, cmd.Process.Kill())
	ipctest.Eventually(t, func() bool {
		_, ok := alive.Started(cmd.Process.Pid)
		return !ok
	}, "a zombie is not alive")
	require.NoError(t, unix.Kill(cmd.Process.Pid, 0), "though its number is taken")
	require.Error(t, cmd.Wait())
	_, ok = alive.Started(cmd.Process.Pid)
	assert.False(t, ok)
}

func TestWhatIsNoProcess(t *testing.T) {
	for _, pid := range []int{0, -1, 1 << 30} {
		_, ok := alive.Started(pid)
		assert.False(t, ok, pid)
	}
}

func TestAProcessHasStoppedWhenAllItsThreadsHave(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "sleep", "600")
	require.NoError(t, cmd.Start())
	assert.False(t, alive.Stopped(cmd.Process.Pid))
	require.NoError(t, cmd.Process.Signal(unix.SIGSTOP))
	ipctest.Eventually(t, func() bool { return alive.Stopped(cmd.Process.Pid) }, "it stops")
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	assert.False(t, alive.Stopped(cmd.Process.Pid), "there is none")
}
