package p10sempool

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/exercise"
)

// leftOf are the leftovers of one name.
func leftOf(t *testing.T, name string) []exercise.Leftover {
	t.Helper()
	all, err := leftovers()
	require.NoError(t, err)
	var left []exercise.Leftover
	for _, l := range all {
		if assert.NotEmpty(t, l.Why) && l.Name == filepath.Join(shmFolder, name) {
			left = append(left, l)
		}
	}
	return left
}

// managerless is the name of a pool whose manager has been killed.
func managerless(t *testing.T) string {
	t.Helper()
	c, err := claim("/"+ipctest.Name(t), 2, false)
	require.NoError(t, err)
	c.drop(t)
	return c.name
}

func TestThePoolOfAKilledManagerIsALeftoverOnceNobodyUsesIt(t *testing.T) {
	name := managerless(t)
	w := join(t, name, 1)
	assert.Empty(t, leftOf(t, name), "a worker lives")
	require.NoError(t, w.Leave(true))
	left := leftOf(t, name)
	require.Len(t, left, 1)
	require.NoError(t, left[0].Remove())
	_, err := attach(name)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestAPoolThatIsInUseAgainIsNotRemoved(t *testing.T) {
	name := managerless(t)
	left := leftOf(t, name)
	require.Len(t, left, 1)
	w := join(t, name, 1)
	assert.ErrorContains(t, left[0].Remove(), "no longer left")
	require.NoError(t, w.Leave(true))
	require.NoError(t, left[0].Remove())
}

func TestThePoolOfALivingManagerIsNoLeftover(t *testing.T) {
	c := newPool(t, 1)
	assert.Empty(t, leftOf(t, c.name))
}

func TestAPoolOfALivingTestOrBenchmarkIsItsOwn(t *testing.T) {
	cmd := exec.Command("sleep", "100")
	require.NoError(t, cmd.Start())
	name := fmt.Sprintf("/unpipc-%d-bench-1", cmd.Process.Pid)
	c, err := claim(name, 2, false)
	require.NoError(t, err)
	c.drop(t)
	assert.Empty(t, leftOf(t, name))
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	left := leftOf(t, name)
	require.Len(t, left, 1)
	require.NoError(t, left[0].Remove())
}

func TestWhatIsNoPoolIsNotTouched(t *testing.T) {
	name := ipctest.Name(t)
	file := filepath.Join(shmFolder, name)
	require.NoError(t, os.WriteFile(file, []byte("something else"), 0o600))
	defer os.Remove(file)
	assert.Empty(t, leftOf(t, "/"+name))
	require.NoError(t, os.WriteFile(file, making[:], 0o600))
	left := leftOf(t, "/"+name)
	require.Len(t, left, 1, "a manager was killed while it made this one")
	require.NoError(t, left[0].Remove())
	assert.NoFileExists(t, file)
}
