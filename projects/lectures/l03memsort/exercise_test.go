package l03memsort_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/programs"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "lectures/l03memsort") }

func TestWorkersAndParentsMayBeInDifferentLanguages(t *testing.T) {
	built := programs.Build(t, "lectures/l03memsort")
	inGo, inC := filepath.Join(built.Go, "mem_sort"), filepath.Join(built.C, "mem_sort")
	dir := t.TempDir()
	require.NoError(t, exec.Command("sh", "-c", `seq -50000 50000 | shuf >"$0"/a; seq 7 >"$0"/b; : >"$0"/c`, dir).Run())
	want, err := exec.Command("sh", "-c", `sort -n "$0"/a "$0"/b`, dir).Output()
	require.NoError(t, err)
	for _, pair := range [][2]string{{inGo, inC}, {inC, inGo}, {inGo, inGo}, {inC, inC}} {
		cmd := exec.CommandContext(t.Context(), pair[0], "--workers", pair[1], "-o", "sorted", "a", "b", "c")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", cmd, out)
		got, err := os.ReadFile(filepath.Join(dir, "sorted"))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s", cmd)
		for _, line := range []string{"Worker 0 sorted 100001 numbers\n", "Got 100001 numbers from worker 0\n", "Got 0 numbers from worker 2\n"} {
			assert.Contains(t, string(out), line)
		}
		cmd = exec.CommandContext(t.Context(), pair[0], "--workers", pair[1], "a", "missing")
		cmd.Dir = dir
		out, err = cmd.CombinedOutput()
		require.Error(t, err)
		assert.Contains(t, string(out), "mem_sort: worker 1 (missing): exit status 1\n")
	}
}

func TestAProgramThatIsNoWorkerIsAnError(t *testing.T) {
	built := programs.Build(t, "lectures/l03memsort")
	for _, folder := range []string{built.Go, built.C} {
		for _, program := range []string{"true", "false", "/nowhere/worker"} {
			cmd := exec.CommandContext(t.Context(), filepath.Join(folder, "mem_sort"), "--workers", program, "/dev/null")
			out, err := cmd.CombinedOutput()
			var status *exec.ExitError
			require.ErrorAs(t, err, &status)
			assert.Equal(t, 1, status.ExitCode())
			assert.Contains(t, string(out), "mem_sort: worker 0 (/dev/null): ")
		}
	}
}
