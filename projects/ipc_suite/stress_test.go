package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
)

func TestStressTellsWhatWasDoneAndThatItHeld(t *testing.T) {
	status, stdout, stderr := suite(t, "stress", "--only", "^(sysv_sem|barrier)$", "--rounds", "2", "--ops", "60", "--seed", "5")
	assert.Zero(t, status, stderr)
	assert.Regexp(t, `^seed 5\n`, stdout)
	assert.Regexp(t, `(?m)^sysv_sem +2 +\d+ +\d+ killed, .* 0 +ok$`, stdout)
	assert.Regexp(t, `(?m)^barrier +2 +\d+ +\d+ killed, .* 0 +ok$`, stdout)
}

func TestStressNamesTheSeedOfAFailureAndHowToSeeItAgain(t *testing.T) {
	status, stdout, _ := suite(t, "stress", "--only", "posix_sem", "--rounds", "1", "--ops", "60", "--sabotage")
	assert.Equal(t, 1, status)
	again := regexp.MustCompile(`again: ipc_suite (stress .*--seed \d+ .*)\n`).FindStringSubmatch(stdout)
	require.NotNil(t, again, stdout)
	invariant := "the tokens that the dead did not hold are there"
	assert.Contains(t, stdout, invariant)

	status, stdout, _ = suite(t, strings.Fields(strings.ReplaceAll(again[1], "'", ""))...)
	assert.Equal(t, 1, status)
	assert.Contains(t, stdout, invariant)
}

func TestStressListsItsScenarios(t *testing.T) {
	status, stdout, _ := suite(t, "stress", "--list")
	assert.Zero(t, status)
	assert.Contains(t, stdout, "mutex_cond")
	assert.GreaterOrEqual(t, strings.Count(stdout, "\n"), 19)
}

func TestStressIsEndedBySIGINTWithAReport(t *testing.T) {
	program, err := built()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "stress", "--all", "--duration", "1h")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	scratch := t.TempDir()
	cmd.Env = append(os.Environ(), "TMPDIR="+scratch)
	folders := func() []string {
		found, err := filepath.Glob(scratch + "/*")
		require.NoError(t, err)
		return found
	}
	require.NoError(t, cmd.Start())
	ipctest.Eventually(t, func() bool { return len(folders()) > 0 }, "a round has begun")
	require.NoError(t, cmd.Process.Signal(unix.SIGINT))
	text, err := io.ReadAll(out)
	require.NoError(t, err)
	assert.Error(t, cmd.Wait())
	assert.Equal(t, 1, cmd.ProcessState.ExitCode())
	assert.Regexp(t, `(?m)^pipe .* 0 +interrupted$`, string(text))
	assert.Equal(t, "ipc_suite: interrupted\n", complaint.String())
	assert.Empty(t, folders())
}

func TestStressRefusesCommandLinesThatMakeNoSense(t *testing.T) {
	for _, args := range []string{"", "--only (", "--only nobody", "--all --parallel 0", "--all --rounds -1",
		"--all --ops 1", "--all --ops 100000", "--all --patience 0s", "--all --duration -1s", "--all --seed x", "--all extra"} {
		t.Run(args, func(t *testing.T) {
			status, stdout, stderr := suite(t, append([]string{"stress"}, strings.Fields(args)...)...)
			assert.Equal(t, 2, status)
			assert.Empty(t, stdout)
			assert.True(t, strings.HasPrefix(stderr, "ipc_suite: "), stderr)
		})
	}
}
