package integers_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/integers"
	"unpipc/projects/internal/measure"
)

func TestARowVerifiesTheOutputAndTellsTheTime(t *testing.T) {
	bin := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(bin, "lectures"), 0o700))
	program := filepath.Join(bin, "lectures", "fake_sort")
	rows := integers.Rows("fake_sort")
	require.Len(t, rows, 3)
	cfg := measure.Config{Bin: bin}
	run := func(row int, script string) (measure.Sample, error) {
		require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\n"+script), 0o700))
		return rows[row].Variants[0].Run(t.Context(), &cfg, 1)
	}
	_, err := exec.LookPath("sort")
	require.NoError(t, err)
	const sorts = "out=$2\nshift 2\nLC_ALL=C sort -n -o $out \"$@\"\n"
	s, err := run(0, sorts)
	require.NoError(t, err)
	assert.Equal(t, int64(1), s.Verified)
	assert.Positive(t, s.Elapsed)
	s, err = run(1, sorts+"echo 'presort time = 0.250000s'")
	require.NoError(t, err)
	assert.Equal(t, "250ms", s.Elapsed.String())
	s, err = run(2, sorts+"cat $1 $2 $3 $4 | wc -l | grep -qx $((6 * 4 * 2000)) && echo 'presort time = 0.5s'")
	require.NoError(t, err)
	assert.Equal(t, "500ms", s.Elapsed.String(), "of larger files")
	_, err = run(1, sorts)
	assert.ErrorContains(t, err, "no presort time")
	_, err = run(0, "cat $3 $4 $5 $6 >$2")
	assert.ErrorContains(t, err, "the output is wrong")
	_, err = run(0, "exit 3")
	assert.ErrorContains(t, err, "exit status 3")

	cfg.Bin = t.TempDir()
	_, err = rows[0].Variants[0].Run(t.Context(), &cfg, 1)
	_, skipped := measure.Skipped(err)
	assert.True(t, skipped)
}
