// Package measuretest is for the tests of packages that have rows: all of them are to be
// measured in Go and in C, and the programs in both languages take the same command lines.
package measuretest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/programs"
)

// Config has runs as short as they can be, of the programs in the folder bin.
func Config(bin string) *measure.Config {
	return &measure.Config{Runs: 2, Budget: 2 * time.Millisecond, Timeout: time.Minute, Bin: bin}
}

// Twin is Config with the program in C built of a package that measures by itself:
// projects/internal/<name>.
func Twin(t testing.TB, name string) *measure.Config {
	t.Helper()
	return Config(programs.Reference(t, name))
}

// Bin is a folder bin as "make build" leaves it, with what is now built of one exercise:
// exercise is its folder there, "p16".
func Bin(t testing.TB, built *programs.Built, exercise string) string {
	t.Helper()
	bin := t.TempDir()
	dir := filepath.Join(bin, exercise)
	require.NoError(t, os.Mkdir(dir, 0o700))
	files, err := os.ReadDir(built.Go)
	require.NoError(t, err)
	for _, f := range files {
		require.NoError(t, os.Symlink(filepath.Join(built.Go, f.Name()), filepath.Join(dir, f.Name())))
	}
	require.NoError(t, os.Symlink(built.C, filepath.Join(dir, "ref")))
	return bin
}

// Run measures the rows, of which none may fail or be skipped: all variants have a value,
// those after the first one a ratio, and every operation is verified.
func Run(t testing.TB, rows []measure.Row, cfg *measure.Config) []measure.Result {
	t.Helper()
	res, err := measure.Run(t.Context(), rows, *cfg, nil)
	require.NoError(t, err)
	require.Len(t, res.Rows, len(rows))
	runs := int64(cfg.Defaults().Runs)
	for i, r := range res.Rows {
		require.Empty(t, r.Failed, "%s %d", r.Name, r.Size)
		require.Empty(t, r.Skipped, "%s %d", r.Name, r.Size)
		require.Len(t, r.Variants, len(rows[i].Variants))
		for j, v := range r.Variants {
			assert.Equal(t, rows[i].Variants[j].Name, v.Name)
			assert.Empty(t, v.Skipped, "%s %d in %s", r.Name, r.Size, v.Name)
			assert.Positive(t, v.Median, "%s %d in %s", r.Name, r.Size, v.Name)
			assert.Equal(t, j > 0, v.Ratio != nil, "%s %d in %s", r.Name, r.Size, v.Name)
			// Operations is the average of the runs, rounded down.
			assert.InDelta(t, runs*v.Operations, v.Verified, float64(runs-1), "%s %d in %s", r.Name, r.Size, v.Name)
		}
	}
	return res.Rows
}

// WithoutC measures the rows where no program in C is built: their first variants, in
// Go, are measured all the same, and the second ones skipped.
func WithoutC(t testing.TB, rows []measure.Row) {
	t.Helper()
	require.NotEmpty(t, rows)
	res, err := measure.Run(t.Context(), rows, measure.Config{Runs: 1, Budget: 1, Bin: t.TempDir()}, nil)
	require.NoError(t, err)
	require.Len(t, res.Rows, len(rows))
	for _, r := range res.Rows {
		require.Empty(t, r.Failed, r.Name)
		require.Empty(t, r.Skipped, r.Name)
		assert.Positive(t, r.Variants[0].Median, r.Name)
		assert.Contains(t, r.Variants[1].Skipped, "make build", r.Name)
	}
}

// Variants has each variant of each row do each of these numbers of operations once.
func Variants(t testing.TB, rows []measure.Row, cfg *measure.Config, operations ...int64) {
	t.Helper()
	for _, row := range rows {
		for _, v := range row.Variants {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			for _, n := range operations {
				sample, err := v.Run(ctx, cfg, n)
				require.NoError(t, err, "%s in %s", row.Name, v.Name)
				assert.Equal(t, n, sample.Verified, "%s in %s", row.Name, v.Name)
				assert.Positive(t, sample.Elapsed, "%s in %s", row.Name, v.Name)
			}
			cancel()
		}
	}
}
