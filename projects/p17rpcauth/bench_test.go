package p17rpcauth

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
)

func TestEveryVariantOfARowIsMeasuredAndVerified(t *testing.T) {
	cfg := measure.Config{}.Defaults()
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
