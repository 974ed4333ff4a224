package l06msgget

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/lecture/lecturetest"
	"unpipc/projects/internal/programs"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "lectures/l06msgget") }

func TestAQueueThatOneLanguageKeepsIsFoundInTheOther(t *testing.T) {
	id := regexp.MustCompile(`queue_id = \d+`)
	t.Setenv("TMPDIR", t.TempDir())
	for maker, finder := range lecturetest.Pairs(t, "lectures/l06msgget", "msgget") {
		key := sysvmq.Key(ipctest.Key())
		made := ipctest.Output(t, maker, "--keep", "--key", key.String())
		q, err := sysvmq.Get(key, 0)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("queue_id = %d", q.ID()), id.FindString(made))
		left := lecturetest.Left(t, Exercise.Leftovers)
		require.Len(t, left, 1, "nobody uses what was kept")
		assert.Contains(t, left[0].Name, key.String())
		require.NoError(t, q.Send(1, []byte("kept"), 0))
		found := ipctest.Output(t, finder, "--key", key.String())
		assert.Equal(t, id.FindString(made), id.FindString(found))
		assert.Contains(t, found, "message count = 1\n")
		_, err = sysvmq.Get(key, 0)
		assert.ErrorIs(t, err, unix.ENOENT, "it is removed")
		assert.Empty(t, lecturetest.Left(t, Exercise.Leftovers))
	}
}

func TestAQueueThatSomebodyElseHasMadeIsNotLeftOver(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, program := range programs.Build(t, "lectures/l06msgget").Both("msgget") {
		key := sysvmq.Key(ipctest.Key())
		q, err := sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|0o600)
		require.NoError(t, err)
		ipctest.Output(t, program, "--keep", "--key", key.String())
		assert.Empty(t, lecturetest.Left(t, Exercise.Leftovers))
		require.NoError(t, q.Remove())
	}
}
