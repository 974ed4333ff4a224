package l08sem

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvsem"
	"unpipc/projects/internal/lecture/lecturetest"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "lectures/l08sem") }

func TestGoAndCShareOneSet(t *testing.T) {
	for one, another := range lecturetest.Pairs(t, "lectures/l08sem", "sem") {
		key := sysvsem.Key(ipctest.Key()).String()
		maker := ipctest.Start(t, exec.Command(one, "--key", key))
		var id int
		_, err := fmt.Sscanf(maker.Line(), "Created sems with id %d", &id)
		require.NoError(t, err)
		require.Equal(t, "Sem array is initialized", maker.Line())
		other := ipctest.Start(t, exec.Command(another, "--key", key))
		require.Equal(t, []string{"Sem array already exists", fmt.Sprintf("Connected to %d", id)}, other.Lines(2))

		// The maker takes what the other's transaction then waits for.
		maker.Tell("1 -\nshow")
		require.Equal(t, "Values are 0 2 3", maker.Line())
		other.Tell("begin\n1 -\n2 -\n2 -\ncommit\nshow")
		set := sysvsem.Open(id)
		ipctest.Eventually(t, func() bool { n, err := set.WaitingForMore(0); return err == nil && n == 1 }, "the transaction waits")
		maker.Tell("show")
		assert.Equal(t, "Values are 0 2 3", maker.Line(), "no part of it is done")
		maker.Tell("1 +")
		assert.Equal(t, "Values are 0 0 3", other.Line())

		other.Kill()
		maker.Tell("show\ndelete")
		assert.Equal(t, []string{"Values are 1 2 3"}, maker.Rest(), "what was taken comes back")
	}
}

func TestWhatAKilledOneLeavesIsFound(t *testing.T) {
	key := sysvsem.Key(ipctest.Key())
	object := lecturetest.Object{
		Folder: "lectures/l08sem", Program: "sem", Args: []string{"--key", key.String()}, Named: key.String(),
		Ready:     func(out string) bool { return strings.Contains(out, "Sem array is initialized") },
		Gone:      func() bool { _, err := sysvsem.Get(key, 0, 0); return errors.Is(err, fs.ErrNotExist) },
		Leftovers: Exercise.Leftovers,
	}
	object.IsFound(t)
}
