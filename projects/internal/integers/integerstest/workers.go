// Package integerstest tests the programs that sort files by worker processes.
package integerstest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/programs"
)

// Pairs tests that parents and workers of a program, of projects/<folder>, may be in
// different languages.
func Pairs(t *testing.T, folder, program string) {
	built := programs.Build(t, folder)
	inGo, inC := filepath.Join(built.Go, program), filepath.Join(built.C, program)
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
		assert.Contains(t, string(out), program+": worker 1 (missing): exit status 1\n")
	}
}

// NoWorkers tests that a program that is no worker is an error of the parent.
func NoWorkers(t *testing.T, folder, program string) {
	built := programs.Build(t, folder)
	for _, dir := range []string{built.Go, built.C} {
		for _, worker := range []string{"true", "false", "/nowhere/worker"} {
			cmd := exec.CommandContext(t.Context(), filepath.Join(dir, program), "--workers", worker, "/dev/null")
			out, err := cmd.CombinedOutput()
			var status *exec.ExitError
			require.ErrorAs(t, err, &status)
			assert.Equal(t, 1, status.ExitCode())
			assert.Contains(t, string(out), program+": worker 0 (/dev/null): ")
		}
	}
}
