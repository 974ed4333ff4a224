package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/programs"
)

func TestTwoRunsAreComparedAndTheStatusIsSuccessWhateverChanged(t *testing.T) {
	runs := filepath.Join(programs.Root(), "projects", "internal", "benchdiff", "testdata")
	before, after := filepath.Join(runs, "before.json"), filepath.Join(runs, "after.json")
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"as a table":   {nil, "bw_pipe 1 KiB Go   100.0k ± ∞    120.0k ± ∞  +20.00% (p=0.008 n=5)\n"},
		"as Markdown":  {[]string{"--format", "md"}, "| bw_pipe 1 KiB C | 110.0k ± ∞ | 109.5k ± ∞ | ~ (p=0.889 n=5) |\n"},
		"as JSON":      {[]string{"--format", "json"}, `"verdict": "worse"`},
		"some rows":    {[]string{"--only", "^lat_"}, "0 better, 1 worse, 1 without significant change (~)\n"},
		"their ratios": {[]string{"--ratios"}, "bw_pipe 1 KiB Go to C   0.909 ± ∞"},
	} {
		status, stdout, stderr := suite(t, append([]string{"compare-runs", before, after}, test.args...)...)
		assert.Zero(t, status, "%s: %s", name, stderr)
		assert.Contains(t, stdout, test.want, name)
	}
	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"one file":               {[]string{before}, 2, "expected two files"},
		"an unknown format":      {[]string{before, after, "--format", "csv"}, 2, "--format csv"},
		"no regular expression":  {[]string{before, after, "--only", "("}, 2, "--only ("},
		"a file that is missing": {[]string{before, filepath.Join(runs, "none.json")}, 1, "none.json"},
		"two units of one row":   {[]string{before, filepath.Join(runs, "units.json")}, 1, "they cannot be compared"},
		"nothing in common":      {[]string{before, after, "--only", "bw_new"}, 1, "no figure in common"},
	} {
		status, stdout, stderr := suite(t, append([]string{"compare-runs"}, test.args...)...)
		assert.Equal(t, test.status, status, name)
		assert.Empty(t, stdout, name)
		assert.Contains(t, stderr, test.want, name)
	}
}

func TestForeignFileIsRefusedByName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"rows": []}`), 0o600))
	status, _, stderr := suite(t, "compare-runs", path, path)
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, path+": no results of ipc_suite benchmark --format json")
}
