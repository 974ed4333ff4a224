package transfer

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/measure/measuretest"
)

var _ = ipctest.Role("without end", func(args []string) int {
	j := job{channel: args[0], size: 64, roundTrip: true}
	p := map[string]measure.Program{"Go": inGo, "C": inC}[args[1]]
	_, err := j.run(context.Background(), &measure.Config{Bin: args[2]}, p, p, 1<<40)
	panic(err)
})

func TestKilledRunLeavesNoProcessAndOnlyWhatIsFound(t *testing.T) {
	bin := measuretest.Twin(t, "transfer").Bin
	for _, channel := range []string{"posix_mq", "sysv_mq", "shm_sem"} {
		for language := range languages {
			runner := ipctest.Command(t, "without end", channel, language, bin)
			require.NoError(t, runner.Start())
			var roles []int
			ipctest.Eventually(t, func() bool {
				roles = childrenOf(t, runner.Process.Pid)
				return len(roles) == 2
			}, "both roles run")
			// Not dead yet: what a live process uses is no leftover.
			require.Empty(t, leftBy(t, runner.Process.Pid))

			require.NoError(t, runner.Process.Kill())
			require.Error(t, runner.Wait())
			for _, pid := range roles {
				ipctest.Eventually(t, func() bool { return gone(pid) }, "a role ends with the one that started it")
			}
			left := leftBy(t, runner.Process.Pid)
			want := map[string]int{"posix_mq": 2, "sysv_mq": 1, "shm_sem": 2}[channel]
			if ipctest.Isolated() { // elsewhere another program may clean up at any time
				require.Len(t, left, want)
			}
			for _, l := range left {
				if err := l.Remove(); ipctest.Isolated() {
					require.NoError(t, err)
				}
			}
			assert.Empty(t, leftBy(t, runner.Process.Pid))
		}
	}
}

// leftBy are the leftovers of one process: others may leave some at the same time.
func leftBy(t *testing.T, pid int) []exercise.Leftover {
	t.Helper()
	left, err := Leftovers()
	require.NoError(t, err)
	return slices.DeleteFunc(left, func(l exercise.Leftover) bool {
		return !slices.Contains(strings.FieldsFunc(l.Why, func(r rune) bool { return !unicode.IsDigit(r) }), strconv.Itoa(pid))
	})
}

func childrenOf(t *testing.T, pid int) []int {
	stats, err := filepath.Glob("/proc/[1-9]*/stat")
	require.NoError(t, err)
	var children []int
	for _, file := range stats {
		stat, _ := os.ReadFile(file)
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(pid) {
			child, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			require.NoError(t, err)
			children = append(children, child)
		}
	}
	return children
}

// gone says that there is no such process, or but a zombie.
func gone(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestObjectsOfOthersAreNoLeftovers(t *testing.T) {
	dead := exec.Command("true")
	require.NoError(t, dead.Run())
	foreign := "/unpipc-" + strconv.Itoa(dead.Process.Pid) + "-dispatcher"
	q, err := posixmq.Open(foreign, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, q.Close())
	defer posixmq.Unlink(foreign)
	key := sysvmq.Key(dead.Process.Pid) // without the mark
	s, err := sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|0o600)
	require.NoError(t, err)
	defer s.Remove()
	assert.Empty(t, leftBy(t, dead.Process.Pid))
}

func TestRingAndQueuesAreGoneAfterARun(t *testing.T) {
	cfg := measuretest.Twin(t, "transfer")
	for _, channel := range []string{"posix_mq", "sysv_mq", "shm_sem"} {
		for _, second := range []measure.Program{inGo, measuretest.Script("exit 1")} {
			_, _ = (&job{channel: channel, size: 64}).run(t.Context(), cfg, inGo, second, 10)
		}
	}
	mine := fmt.Sprintf("unpipc-%d-", os.Getpid())
	names, err := posixmq.List()
	require.NoError(t, err)
	assert.NotContains(t, strings.Join(names, " "), mine)
	files, err := filepath.Glob("/dev/shm/" + mine + "*")
	require.NoError(t, err)
	assert.Empty(t, files)
	_, err = sysvmq.Get(queueKey(), 0)
	assert.ErrorIs(t, err, fs.ErrNotExist)
}
