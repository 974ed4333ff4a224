package p17rpcauth

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

func testRows(t *testing.T, built *programs.Built) {
	bin := t.TempDir()
	require.NoError(t, os.Symlink(built.Go, filepath.Join(bin, "p17")))
	require.NoError(t, os.Symlink(built.C, filepath.Join(built.Go, "ref")))
	cfg := measure.Config{Bin: bin}.Defaults()
	for _, row := range rows(cfg) {
		for _, v := range row.Variants {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			for _, n := range []int64{1, 300} {
				sample, err := v.Run(ctx, &cfg, n)
				require.NoError(t, err, "%s with %s", row.Name, v.Name)
				assert.Equal(t, n, sample.Verified, "%s with %s", row.Name, v.Name)
				assert.Positive(t, sample.Elapsed, "%s with %s", row.Name, v.Name)
			}
			cancel()
		}
	}
}
