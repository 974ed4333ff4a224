package htmlreport_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
)

// TestPicturesOfARun makes the README's pictures: of the results in UNPIPC_RESULTS, in the
// folder UNPIPC_PICTURES, as "make pictures" does; else of the test's own, to see that it
// can.
func TestPicturesOfARun(t *testing.T) {
	res, folder := results(t), t.TempDir()
	if from := os.Getenv("UNPIPC_RESULTS"); from != "" {
		var err error
		res, err = measure.Load(from)
		require.NoError(t, err)
		folder = os.Getenv("UNPIPC_PICTURES")
		require.NoError(t, os.MkdirAll(folder, 0o755))
	}
	file := write(t, res)
	b := startBrowser(t)
	for _, colours := range []string{"light", "dark"} {
		b.open(file, 1000, 800, scheme(colours))
		b.evaluate(inPage, nil)
		var views []struct {
			Chart, View string
			Clip        map[string]any
		}
		b.evaluate("charts()", &views)
		var made []string
		for _, v := range views {
			if v.Chart != "ratios" { // that one is longer than a README
				b.picture(filepath.Join(folder, v.Chart+"-"+colours+".png"), v.Clip)
				made = append(made, v.Chart)
			}
		}
		assert.Equal(t, []string{"throughput", "latency", "locks"}, made)
	}
	assert.Empty(t, b.complaints())
}
