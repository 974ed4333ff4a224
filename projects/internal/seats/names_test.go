package seats_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/seats"
)

func TestObjectsOfDeadProcessesAreFoundAndRemoved(t *testing.T) {
	dead := ipctest.Command(t, "nothing")
	require.NoError(t, dead.Run())
	live := filepath.Join("/dev/shm", filepath.Base(seats.NewName("test")))
	gone := fmt.Sprintf("/dev/shm/unpipc-%d-test-1", dead.Process.Pid)
	second, other := gone+"-back", fmt.Sprintf("/dev/shm/unpipc-%d-other-1", dead.Process.Pid)
	for _, file := range []string{live, gone, second, other} {
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		t.Cleanup(func() { _ = os.Remove(file) })
	}
	left, err := seats.Leftovers("test")
	require.NoError(t, err)
	found := map[string]bool{}
	for _, l := range left {
		found[l.Name] = true
		if l.Name == gone || l.Name == second {
			require.NoError(t, l.Remove())
			require.NoError(t, l.Remove(), "another one was quicker")
		}
	}
	assert.True(t, found[gone] && found[second])
	assert.False(t, found[live], "its maker is alive")
	assert.False(t, found[other], "it is of another kind")
	assert.NoFileExists(t, gone)
	assert.NoFileExists(t, second)
}

var _ = ipctest.Role("nothing", func([]string) int { return 0 })
