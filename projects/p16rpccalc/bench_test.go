package p16rpccalc

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/programs"
)

func testRows(t *testing.T, built *programs.Built) {
	out, err := exec.Command("go", "build", "-o", built.Go+"/", "./peers/grpc_calc").CombinedOutput()
	require.NoError(t, err, "%s", out)
	bin := t.TempDir()
	require.NoError(t, os.Symlink(built.Go, filepath.Join(bin, "p16")))
	require.NoError(t, os.Symlink(built.C, filepath.Join(built.Go, "ref")))
	cfg := measure.Config{Bin: bin}.Defaults()
	for _, row := range rows(cfg) {
		for _, v := range row.Variants {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			for _, n := range []int64{1, 100} {
				sample, err := v.Run(ctx, &cfg, n)
				require.NoError(t, err, "%s in %s", row.Name, v.Name)
				assert.Equal(t, n, sample.Verified, "%s in %s", row.Name, v.Name)
				assert.Positive(t, sample.Elapsed, "%s in %s", row.Name, v.Name)
			}
			cancel()
		}
	}
}

func TestAMissingProgramIsAnError(t *testing.T) {
	cfg := measure.Config{Bin: t.TempDir()}.Defaults()
	for _, v := range rows(cfg)[0].Variants {
		_, err := v.Run(t.Context(), &cfg, 1)
		assert.ErrorIs(t, err, os.ErrNotExist, v.Name)
	}
}

func TestAClientThatPrintsSomethingElseIsAnError(t *testing.T) {
	for _, out := range []string{"", "Result: 8\n", "Result: 8\n3 calls\n"} {
		_, err := parseFigures(out)
		assert.Error(t, err, "%q", out)
	}
	figures, err := parseFigures("Result: 8\n" + Figures{Calls: 3, Elapsed: time.Second, CPU: 30}.String() + "\n")
	require.NoError(t, err)
	assert.Equal(t, Figures{Calls: 3, Elapsed: time.Second, CPU: 30}, figures)
}
