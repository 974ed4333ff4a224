package p03popen

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/programs"
)

func TestRowIsMeasuredInGoAndC(t *testing.T) {
	built, bin := programs.Build(t, "p03popen"), t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(bin, "p03"), 0o700))
	require.NoError(t, os.Symlink(filepath.Join(built.Go, "test_mypopen"), filepath.Join(bin, "p03", "test_mypopen")))
	require.NoError(t, os.Symlink(built.C, filepath.Join(bin, "p03", "ref")))
	cfg := measure.Config{Runs: 1, Budget: time.Millisecond, Timeout: time.Minute, Bin: bin}
	res, err := measure.Run(t.Context(), rows(cfg), cfg, nil)
	require.NoError(t, err)
	require.Len(t, res.Rows, 1)
	require.Empty(t, res.Rows[0].Failed)
	for _, v := range res.Rows[0].Variants {
		assert.Empty(t, v.Skipped, v.Name)
		assert.Positive(t, v.Median, v.Name)
	}
}

func TestCommandThatDoesNotSayWhatItShouldFailsTheRow(t *testing.T) {
	other := func(command string) Implementation {
		return Implementation{open: func(_, mode string) (stream, error) { return Mine.open(command, mode) }}
	}
	require.NoError(t, runCommand(Mine))
	for _, command := range []string{"echo eight; exit 7", "echo seven; exit 8", "echo seven; kill -9 $$", "exit 7"} {
		assert.ErrorContains(t, runCommand(other(command)), "it printed", command)
	}
}
