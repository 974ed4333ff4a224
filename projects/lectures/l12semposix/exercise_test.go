package l12semposix

import (
	"encoding/binary"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/lecture/lecturetest"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "lectures/l12semposix") }

// waiting reads from glibc's word how many sleep at a semaphore.
func waiting(name string) int {
	word, err := os.ReadFile("/dev/shm/sem." + name[1:])
	if err != nil || len(word) < 8 {
		return -1
	}
	return int(binary.NativeEndian.Uint32(word[4:]))
}

func TestThreadsInGoAndCHaveFiveTogether(t *testing.T) {
	for maker, other := range lecturetest.Pairs(t, "lectures/l12semposix", "sem_posix") {
		name := "/" + ipctest.Name(t)
		var said [2]ipctest.Log
		var typed [2]interface{ Close() error }
		var cmds [2]*exec.Cmd
		for i, args := range [][]string{{maker}, {other, "--join"}} {
			cmds[i] = exec.CommandContext(t.Context(), args[0], append(args[1:], "--name", name, "--hold", "1000000")...)
			in, err := cmds[i].StdinPipe()
			require.NoError(t, err)
			typed[i], cmds[i].Stdout, cmds[i].Stderr = in, &said[i], &said[i]
			require.NoError(t, cmds[i].Start())
			sleepers := []int{5, 15}[i]
			ipctest.Eventually(t, func() bool { return waiting(name) == sleepers }, "all others wait")
		}
		both := func() string { return said[0].String() + said[1].String() }
		ipctest.Eventually(t, func() bool { return strings.Count(both(), "\n") >= 5 }, "five have it")
		assert.Equal(t, 5, strings.Count(both(), " got the sem\n"), both())
		for i := range cmds {
			require.NoError(t, typed[i].Close())
			require.NoError(t, cmds[i].Wait())
		}
	}
}

func object(t *testing.T) *lecturetest.Object {
	t.Helper()
	name := "/" + ipctest.Name(t)
	return &lecturetest.Object{
		Folder: "lectures/l12semposix", Program: "sem_posix", Args: []string{"--name", name, "--hold", "1000000"}, Named: name,
		Ready:     func(out string) bool { return strings.Count(out, " got the sem\n") == 5 },
		Gone:      func() bool { return waiting(name) == -1 },
		Leftovers: Exercise.Leftovers,
	}
}

func TestWhatAKilledOneLeavesIsFound(t *testing.T) { object(t).IsFound(t) }

func TestOneOfManyMakesTheSemaphoreAnew(t *testing.T) { object(t).IsTakenOverByOne(t) }
