package lockcost

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/measure/measuretest"
)

func TestNobodyBeginsBeforeAllAreAwake(t *testing.T) {
	const workers = 5
	r := &role{lock: "none", workers: workers, count: 1}
	r.kind = kind{turns: true, join: func(w *worker) (work, error) {
		return func(uint64) error {
			if n := w.awake.Load(); n != workers {
				return fmt.Errorf("%d are awake", n)
			}
			if w.index == 0 {
				w.counter = workers
			}
			return nil
		}, nil
	}}
	for range 20 {
		o, err := r.run()
		require.NoError(t, err)
		assert.Positive(t, o.NS)
	}
}

func TestSeveralWorkersStayOnACPUEach(t *testing.T) {
	cfg := measuretest.Twin(t, "lockcost")
	var mine unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &mine))
	var want []string
	for cpu := 0; len(want) < min(mine.Count(), 3); cpu++ {
		if mine.IsSet(cpu) {
			want = append(want, fmt.Sprint(cpu))
		}
	}
	for language, p := range languages {
		for _, processes := range []string{"", " --processes"} {
			cmd := measuretest.Command(t, cfg, p, "--lock sem_turns --workers 3 --count 1000000000"+processes)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			require.NoError(t, cmd.Start())
			ipctest.Eventually(t, func() bool {
				found := keptTo(t, cmd.Process.Pid)
				for _, cpu := range want {
					if !found[cpu] {
						return false
					}
				}
				return true
			}, fmt.Sprintf("workers in %s%s on the CPUs %v", language, processes, want))
			require.NoError(t, unix.Kill(-cmd.Process.Pid, unix.SIGKILL))
			_ = cmd.Wait()
		}
	}
}

// keptTo are the sets of CPUs, as the kernel writes them, that the threads of a process and
// of its children may use.
func keptTo(t *testing.T, pid int) map[string]bool {
	tasks, err := filepath.Glob("/proc/[0-9]*/task/[0-9]*/status")
	require.NoError(t, err)
	found := map[string]bool{}
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // empty: it has ended
		status := map[string]string{}
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(line, ":")
			status[name] = strings.TrimSpace(value)
		}
		if self := fmt.Sprint(pid); status["Tgid"] == self || status["PPid"] == self {
			found[status["Cpus_allowed_list"]] = true
		}
	}
	return found
}
