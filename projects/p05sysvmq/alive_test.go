package p05sysvmq

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
)

func TestAProcessIsNamedByWhenItWasStarted(t *testing.T) {
	parent, alive := started(os.Getppid())
	require.True(t, alive)
	self, alive := started(os.Getpid())
	require.True(t, alive)
	assert.Greater(t, self, uint64(0))
	assert.GreaterOrEqual(t, self, parent)
	again, _ := started(os.Getpid())
	assert.Equal(t, self, again)
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
	first, alive := started(cmd.Process.Pid)
	assert.True(t, alive)
	self, _ := started(os.Getpid())
	assert.GreaterOrEqual(t, first, self)
	assert.Less(t, first-self, uint64(time.Hour/(10*time.Millisecond)))
	require.NoError(t, cmd.Process.Kill())
	ipctest.Eventually(t, func() bool {
		_, alive := started(cmd.Process.Pid)
		return !alive
	}, "a zombie is not alive")
	require.NoError(t, unix.Kill(cmd.Process.Pid, 0), "though its number is taken")
	require.Error(t, cmd.Wait())
	_, alive = started(cmd.Process.Pid)
	assert.False(t, alive)
}

func TestWhatIsNoProcess(t *testing.T) {
	for _, pid := range []int{0, -1, 1 << 30} {
		_, alive := started(pid)
		assert.False(t, alive, pid)
	}
}
