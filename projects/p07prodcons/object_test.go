package p07prodcons

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/exercise"
)

// object is a new one with these contents, gone at the end of the test.
func object(t *testing.T, name, contents string) {
	t.Helper()
	require.NoError(t, os.WriteFile("/dev/shm"+name, []byte(contents), 0o600))
	t.Cleanup(func() { _ = os.Remove("/dev/shm" + name) })
}

func TestTheNameOfADeadRunIsTakenOver(t *testing.T) {
	for what, contents := range map[string]string{
		"just made":    "",
		"not finished": string(make([]byte, headSize)),
		"a run's":      magic + string(make([]byte, headSize)),
	} {
		name := "/" + ipctest.Name(t)
		object(t, name, contents)
		o, err := create(name)
		require.NoError(t, err, what)
		size, err := o.Size()
		require.NoError(t, err)
		assert.Zero(t, size, "%s: it is a new one", what)

		_, err = create(name)
		assert.ErrorIs(t, err, fs.ErrExist, "%s: its owner lives", what)
		require.NoError(t, posixshm.Unlink(name))
		require.NoError(t, o.Close())
	}
}

func TestAnObjectOfAnotherKindIsLeftAsItIs(t *testing.T) {
	name := "/" + ipctest.Name(t)
	object(t, name, "something else")
	_, err := create(name)
	assert.ErrorIs(t, err, fs.ErrExist)
	kept, err := os.ReadFile("/dev/shm" + name)
	require.NoError(t, err)
	assert.Equal(t, "something else", string(kept))

	_, err = attach(name, 0)
	assert.ErrorContains(t, err, "no run has this name")
}

func TestAttachFindsARunAndRefusesAFalseOne(t *testing.T) {
	o := Options{Name: "/" + ipctest.Name(t), Capacity: 3, Items: 100, Processes: true}
	m, end, err := o.make()
	require.NoError(t, err)
	defer end()
	_, err = attach(o.Name, 0)
	require.Error(t, err, "it is not finished")
	m.publish()
	g, err := attach(o.Name, 0)
	require.NoError(t, err)
	g.do(func() { g.changes = 42 })
	assert.Equal(t, int64(42), m.changes, "it is the same memory")
	require.NoError(t, unix.Close(g.owner))

	m.buffer.items = 1 << 40
	_, err = attach(o.Name, 0)
	assert.ErrorContains(t, err, "not the shared memory of a run")
}

func TestADeadRunsObjectIsRemovedUnlessAnotherRunHasTakenTheName(t *testing.T) {
	name := "/" + ipctest.Name(t)
	o, err := create(name)
	require.NoError(t, err)
	assert.False(t, isDead(name))
	require.NoError(t, o.Close())
	assert.True(t, isDead(name))

	o, err = create(name)
	require.NoError(t, err)
	require.NoError(t, removeDead(name), "another run has the name now")
	assert.FileExists(t, "/dev/shm"+name)
	require.NoError(t, o.Close())
	require.NoError(t, removeDead(name))
	assert.NoFileExists(t, "/dev/shm"+name)
}

func TestLeftoversAreTheObjectsOfDeadRuns(t *testing.T) {
	name := fmt.Sprintf("/unpipc-%d-buffer", os.Getpid())
	listed := func() bool {
		left, err := leftovers()
		require.NoError(t, err)
		return slices.ContainsFunc(left, func(l exercise.Leftover) bool { return l.Name == "/dev/shm"+name })
	}
	o, err := create(name)
	require.NoError(t, err)
	t.Cleanup(func() { _ = posixshm.Unlink(name) })
	assert.False(t, listed(), "its owner lives")
	require.NoError(t, o.Close())
	if !listed() {
		assert.NoFileExists(t, "/dev/shm"+name, "unless somebody has cleaned up meanwhile")
	}
}
