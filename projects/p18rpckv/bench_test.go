package p18rpckv

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/measure/measuretest"
	"unpipc/projects/internal/programs"
)

func TestAllRowsAreMeasured(t *testing.T) {
	bin := measuretest.Bin(t, programs.Build(t, "p18rpckv"), "p18")
	cfg := measure.Config{Bin: bin}.Defaults()
	all := rows(cfg)
	defer func() { assert.NoError(t, all[0].Kept.Close()) }()
	for _, row := range all {
		if strings.HasPrefix(row.Name, "lat_") {
			continue // the same as another row, with one client
		}
		assert.Same(t, all[0].Kept, row.Kept, "clusters are shared")
		for _, v := range row.Variants {
			n := int64(40)
			if row.Name == "kv_failover" {
				n = 1
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			sample, err := v.Run(ctx, &cfg, n)
			cancel() // the servers are there for the next row
			require.NoError(t, err, "%s in %s", row.Name, v.Name)
			assert.Equal(t, n, sample.Verified, "%s in %s", row.Name, v.Name)
			assert.Positive(t, sample.Elapsed, "%s in %s", row.Name, v.Name)
		}
	}
}

func TestAFailedRunEndsItsCluster(t *testing.T) {
	bin := measuretest.Bin(t, programs.Build(t, "p18rpckv"), "p18")
	cfg := measure.Config{Bin: bin}.Defaults()
	clusters := &running{of: map[string]*started{}}
	fails := clusters.variant(stores[0], func(context.Context, Cluster, int64) (time.Duration, error) { return 0, os.ErrInvalid })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := fails.Run(ctx, &cfg, 1)
	require.ErrorIs(t, err, os.ErrInvalid)
	assert.Empty(t, clusters.of)
	left, err := filepath.Glob(filepath.Join(bin, "unpipc-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestAMissingProgramIsAnError(t *testing.T) {
	cfg := measure.Config{Bin: t.TempDir()}.Defaults()
	_, err := rows(cfg)[0].Variants[0].Run(t.Context(), &cfg, 1)
	assert.ErrorIs(t, err, os.ErrNotExist)
}
