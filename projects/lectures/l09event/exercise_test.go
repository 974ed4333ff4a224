package l09event

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
	"unpipc/gobind/sysvsem"
	"unpipc/projects/internal/lecture/lecturetest"
	"unpipc/projects/internal/programs"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "lectures/l09event") }

func TestWhatAKilledOneLeavesIsFound(t *testing.T) {
	key := sysvmq.Key(ipctest.Key())
	object := lecturetest.Object{
		Folder: "lectures/l09event", Program: "event_source", Args: []string{"--key", key.String(), "1"}, Named: key.String(),
		Ready: func(out string) bool { return strings.Contains(out, "to queue") },
		Gone: func() bool {
			_, err := sysvmq.Get(key, 0)
			_, setErr := sysvsem.Get(key, 0, 0)
			return errors.Is(err, fs.ErrNotExist) && errors.Is(setErr, fs.ErrNotExist)
		},
		Leftovers: Exercise.Leftovers,
		Others:    1,
	}
	object.IsFound(t)
}

func TestWhatAConsumerWaitsForIsNotLeftOver(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	built := programs.Build(t, "lectures/l09event")
	for language, consumer := range built.Both("event_cons") {
		key := sysvmq.Key(ipctest.Key())
		source := ipctest.Start(t, exec.Command(built.Both("event_source")[language], "--key", key.String(), "1"))
		source.Lines(2) // both are made
		cons := ipctest.Start(t, exec.Command(consumer, "--key", key.String()))
		set, err := sysvsem.Get(sysvsem.Key(key), 0, 0)
		require.NoError(t, err)
		ipctest.Eventually(t, func() bool { n, err := set.WaitingForMore(0); return err == nil && n == 1 }, "it waits")
		source.Kill()
		assert.Empty(t, lecturetest.Left(t, Exercise.Leftovers), language)
		cons.Kill()
		left := lecturetest.Left(t, Exercise.Leftovers)
		require.Len(t, left, 2, language)
		for _, l := range left {
			require.NoError(t, l.Remove())
		}
	}
}
