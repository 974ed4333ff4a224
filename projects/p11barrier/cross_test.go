package p11barrier

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
	"unpipc/gobind/sysvsem"
	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/programs"
)

func TestInGoAndC(t *testing.T) {
	built := programs.Build(t, "p11barrier")
	program := built.Both("barrier_test")
	t.Run("processes of both meet at one barrier", func(t *testing.T) { meet(t, program) })
	t.Run("the death of one is learnt in the other", func(t *testing.T) { learn(t, program) })
	t.Run("one that cannot be started again ends the run", func(t *testing.T) { giveUp(t, program) })
	t.Run("leftovers are those of the dead only", func(t *testing.T) { leave(t, program) })
}

func key(n int) sysvsem.Key { return sysvsem.Key(0x78000000 | os.Getpid()&0xffff<<4 | n) }

// there waits until a set has the key.
func there(t *testing.T, key sysvsem.Key) {
	t.Helper()
	ipctest.Eventually(t, func() bool { _, err := sysvsem.Get(key, 0, 0); return err == nil }, "the set is there")
}

func meet(t *testing.T, program map[string]string) {
	for n, first := range []string{"Go", "C"} {
		for _, barrier := range []string{"sysv", "pthread"} {
			t.Run("started in "+first+", "+barrier, func(t *testing.T) {
				key := key(n)
				run := exec.CommandContext(t.Context(), program[first], "--key", key.String(), "--processes", "6",
					"--outside", "4", "--iterations", "300", "--quiet", "--barrier", barrier)
				var out bytes.Buffer
				run.Stdout, run.Stderr = &out, &out
				require.NoError(t, run.Start())
				there(t, key)
				var joining sync.WaitGroup
				for _, language := range []string{"Go", "C", "Go", "C"} {
					joining.Go(func() {
						text, err := exec.CommandContext(t.Context(), program[language], "--join", "--key", key.String(), "--quiet").CombinedOutput()
						assert.NoError(t, err, "%s: %s", language, text)
					})
				}
				joining.Wait()
				assert.NoError(t, run.Wait(), out.String())
				assert.Contains(t, out.String(), "PASS")
			})
		}
	}
}

func learn(t *testing.T, program map[string]string) {
	n := 2
	for _, first := range []string{"Go", "C"} {
		for _, victim := range []string{"Go", "C"} {
			t.Run("started in "+first+", killed in "+victim, func(t *testing.T) {
				n++
				key := key(n)
				run := exec.CommandContext(t.Context(), program[first], "--key", key.String(), "--processes", "4", "--outside", "2")
				var out bytes.Buffer
				run.Stdout, run.Stderr = io.Discard, &out
				require.NoError(t, run.Start())
				there(t, key)
				cmd := exec.CommandContext(t.Context(), program[victim], "--join", "--key", key.String())
				stdout, err := cmd.StdoutPipe()
				require.NoError(t, err)
				require.NoError(t, cmd.Start())
				_, err = io.ReadFull(stdout, make([]byte, len("[P3] Reached barrier 1")))
				require.NoError(t, err)
				require.NoError(t, cmd.Process.Kill())
				require.Error(t, cmd.Wait())
				require.Error(t, run.Wait())
				assert.Equal(t, 2, strings.Count(out.String(), "broken barrier"), out.String())
				_, err = sysvsem.Get(key, 0, 0)
				assert.ErrorIs(t, err, unix.ENOENT, "nothing is left")
			})
		}
	}
}

// Without its board a process that is started again ends with an error, while the others
// wait for a repair or at the barrier.
func giveUp(t *testing.T, program map[string]string) {
	for n, language := range []string{"Go", "C"} {
		key := key(10 + n)
		run := exec.CommandContext(t.Context(), program[language], "--key", key.String(), "--processes", "4",
			"--iterations", "1000000", "--respawn", "--work", "10", "--quiet")
		var out bytes.Buffer
		run.Stderr = &out
		require.NoError(t, run.Start())
		there(t, key)
		set, err := sysvsem.Get(key, 0, 0)
		require.NoError(t, err)
		require.NoError(t, set.Initialized(t.Context())) // the values of a new set are 0
		ipctest.Eventually(t, func() bool { n, err := set.Value(places); return err == nil && n == 0 }, "all have joined")
		b, err := openBoard(set.ID())
		require.NoError(t, err)
		// Then all have opened the board.
		ipctest.Eventually(t, func() bool { return b.get(b.reached(1)) > 1 }, "the first round is over")
		require.NoError(t, posixshm.Unlink(b.name))
		require.NoError(t, b.close())
		require.NoError(t, unix.Kill(childOf(run.Process.Pid), unix.SIGKILL))
		require.Error(t, run.Wait(), language)
		assert.NotContains(t, out.String(), "broken barrier", "those who wait for a repair do not report it")
		_, err = sysvsem.Get(key, 0, 0)
		assert.ErrorIs(t, err, unix.ENOENT, "nothing is left")
	}
}

func leave(t *testing.T, program map[string]string) {
	for n, language := range []string{"Go", "C"} {
		key := key(8 + n)
		run := exec.CommandContext(t.Context(), program[language], "--key", key.String(), "--processes", "2", "--outside", "1", "--work", "1000000")
		require.NoError(t, run.Start())
		there(t, key)
		set, err := sysvsem.Get(key, 0, 0)
		require.NoError(t, err)
		require.NoError(t, set.Initialized(t.Context()))
		assert.Empty(t, ours(t, set.ID()), "it lives")

		var pid int
		ipctest.Eventually(t, func() bool {
			pid = childOf(run.Process.Pid)
			n, err := set.Value(active)
			return err == nil && n == 1 && pid > 0
		}, "the one it has started has joined")
		require.NoError(t, unix.Kill(pid, unix.SIGSTOP))
		require.NoError(t, run.Process.Kill())
		require.Error(t, run.Wait())
		left := ours(t, set.ID())
		require.Len(t, left, 1, language)
		assert.Contains(t, left[0].Name, fmt.Sprint(set.ID()))
		require.NoError(t, left[0].Remove())
		assert.Empty(t, ours(t, set.ID()))
		_, err = set.Stat()
		assert.ErrorIs(t, err, unix.EINVAL)
		require.NoError(t, unix.Kill(pid, unix.SIGKILL))
	}
}

// ours are the leftovers of a set.
func ours(t *testing.T, semid int) (left []exercise.Leftover) {
	t.Helper()
	all, err := leftovers()
	require.NoError(t, err)
	for _, l := range all {
		if strings.HasSuffix(l.Name, fmt.Sprintf("barrier-%d", semid)) {
			left = append(left, l)
		}
	}
	return left
}

// childOf is a child of a process, 0 if there is none.
func childOf(parent int) int {
	stats, _ := filepath.Glob("/proc/[1-9]*/stat")
	for _, file := range stats {
		stat, _ := os.ReadFile(file)
		var pid, ppid int
		var state string
		end := strings.LastIndex(string(stat), ") ")
		if end < 0 {
			continue
		}
		_, err := fmt.Sscan(string(stat[end+2:]), &state, &ppid)
		if _, pidErr := fmt.Sscan(string(stat), &pid); err == nil && pidErr == nil && ppid == parent {
			return pid
		}
	}
	return 0
}

func TestOutputThatIsNoProofIsNoSample(t *testing.T) {
	s, err := sample("Barrier Test (2 processes, 4 iterations)\n\n3 rounds in 0.000300 s\nAll processes synchronized correctly. PASS\n")
	require.NoError(t, err)
	assert.Equal(t, int64(3), s.Verified)
	assert.Equal(t, int64(300_000), s.Elapsed.Nanoseconds())
	for _, printed := range []string{"", "3 rounds in 0.1 s\n", "x\nAll processes synchronized correctly. PASS\n"} {
		_, err := sample(printed)
		assert.Error(t, err, printed)
	}
}
