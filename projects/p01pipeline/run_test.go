package p01pipeline

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/programs"
)

func TestFiveHundredStagesPassOneLine(t *testing.T) {
	built := programs.Build(t, "p01pipeline")
	for _, bin := range []string{built.Go, built.C} {
		args := []string{"echo through"}
		for range 499 {
			args = append(args, "cat")
		}
		out, status := run(t, bin+"/mypipe", args...)
		assert.Equal(t, "through\n", out)
		assert.Zero(t, status)
	}
}

// TestOnlyStandardDescriptors looks at every process of a running pipeline.
func TestOnlyStandardDescriptors(t *testing.T) {
	built := programs.Build(t, "p01pipeline")
	for name, bin := range map[string]string{"Go": built.Go, "C": built.C} {
		t.Run(name, func(t *testing.T) {
			stop, w, err := os.Pipe()
			require.NoError(t, err)
			defer w.Close()
			cmd := exec.Command(bin+"/mypipe", "cat", "cat", "cat", "cat")
			cmd.Stdin = stop
			require.NoError(t, cmd.Start())
			stop.Close()
			var pids []string
			require.Eventually(t, func() bool {
				pids = append(children(t, cmd.Process.Pid), fmt.Sprint(cmd.Process.Pid))
				return len(pids) == 5 && running(pids[:4], "cat")
			}, 10*time.Second, time.Millisecond, "the stages did not start")
			for _, pid := range pids {
				// The parent closes its last end a moment after the last stage runs.
				assert.Eventually(t, func() bool { return descriptors(t, pid) == "0 1 2" },
					5*time.Second, time.Millisecond, "process %s has %s", pid, descriptors(t, pid))
			}
			require.NoError(t, w.Close())
			require.NoError(t, cmd.Wait())
		})
	}
}

// TestNoZombies ends the stages of a running pipeline one after the other, in no
// order, and sees each of them disappear at once.
func TestNoZombies(t *testing.T) {
	built := programs.Build(t, "p01pipeline")
	for name, bin := range map[string]string{"Go": built.Go, "C": built.C} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(bin+"/mypipe", "sleep 100", "sleep 100", "sleep 100", "sleep 100")
			require.NoError(t, cmd.Start())
			var pids []string
			require.Eventually(t, func() bool {
				pids = children(t, cmd.Process.Pid)
				return len(pids) == 4 && running(pids, "sleep")
			}, 10*time.Second, time.Millisecond)
			for _, i := range rand.Perm(4) {
				require.NoError(t, exec.Command("kill", "-TERM", pids[i]).Run())
				assert.Eventually(t, func() bool {
					_, err := os.Stat("/proc/" + pids[i])
					return os.IsNotExist(err)
				}, 5*time.Second, time.Millisecond, "stage %d stays a zombie", i)
			}
			err := cmd.Wait()
			assert.EqualError(t, err, "exit status 143")
		})
	}
}

// TestSplitAgreesWithC compares the words of random command lines.
func TestSplitAgreesWithC(t *testing.T) {
	built := programs.Build(t, "p01pipeline")
	alphabet := []string{"a", "b", " ", "  ", "\t", "'", "'", "\"", "\"", "\\", "$", "`", "#", "|", "*", "\n"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var b strings.Builder
		for range random.IntN(12) {
			b.WriteString(alphabet[random.IntN(len(alphabet))])
		}
		line := "perl -e print(map{\"<$_>\"}@ARGV) -- " + b.String()
		line = strings.Replace(line, `print(map{"<$_>"}@ARGV)`, `'print(map{"<$_>"}@ARGV)'`, 1)
		goOut, goStatus := run(t, built.Go+"/mypipe", line, "cat")
		cOut, cStatus := run(t, built.C+"/mypipe", line, "cat")
		require.Equal(t, cOut, goOut, "words of %q", b.String())
		require.Equal(t, cStatus, goStatus, "status of %q", b.String())
	}
}

func children(t *testing.T, pid int) []string {
	t.Helper()
	var pids []string
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, f := range files {
		list, _ := os.ReadFile(f)
		pids = append(pids, strings.Fields(string(list))...)
	}
	return pids
}

// running says that every process has exec'ed the program.
func running(pids []string, program string) bool {
	for _, pid := range pids {
		name, _ := os.ReadFile("/proc/" + pid + "/comm")
		if strings.TrimSpace(string(name)) != program {
			return false
		}
	}
	return true
}

func descriptors(t *testing.T, pid string) string {
	t.Helper()
	entries, err := os.ReadDir("/proc/" + pid + "/fd")
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestGoAndCGiveTheSameHelp(t *testing.T) {
	built := programs.Build(t, "p01pipeline")
	inGo, _ := run(t, built.Go+"/mypipe", "--help")
	inC, _ := run(t, built.C+"/mypipe", "--help")
	assert.Equal(t, inC, inGo)
}
