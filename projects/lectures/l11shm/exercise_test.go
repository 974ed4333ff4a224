package l11shm

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvshm"
	"unpipc/projects/internal/lecture/lecturetest"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "lectures/l11shm") }

func TestTheDeathOfAnOwnerIsLearntInTheOtherLanguage(t *testing.T) {
	for parent, child := range lecturetest.Pairs(t, "lectures/l11shm", "shm") {
		key := sysvshm.Key(ipctest.Key())
		p := ipctest.Start(t, exec.Command(parent, "--outside", "--key", key.String()))
		var id int
		_, err := fmt.Sscanf(p.Line(), "Created mem with id %d", &id)
		require.NoError(t, err)
		require.Equal(t, []string{"Created mutex between processes", "Parent waits for 1 in shmem"}, p.Lines(2))
		out, err := exec.CommandContext(t.Context(), child, "--child", strconv.Itoa(id)).CombinedOutput()
		require.Error(t, err, "it is killed")
		assert.Equal(t, "Child holds a lock\nAnd the child dies\n", string(out))
		assert.Equal(t, []string{"Parent tries to lock", "Owner is dead, restore", "Destroy mutex", "Free shmem"}, p.Rest())
		_, err = sysvshm.Get(key, 0, 0)
		assert.ErrorIs(t, err, unix.ENOENT)
	}
}

func object() *lecturetest.Object {
	return lecturetest.Segment("lectures/l11shm", "shm", Exercise.Leftovers, "--outside")
}

func TestWhatAKilledOneLeavesIsFound(t *testing.T) { object().IsFound(t) }

func TestOneOfManyParentsTakesOverWhatAKilledOneLeft(t *testing.T) {
	object().IsTakenOverByOne(t)
}
