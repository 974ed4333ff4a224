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
		var figures []struct {
			Section string
			Clip    map[string]any
		}
		b.evaluate(`[...document.querySelectorAll("section")].filter((s) => s.querySelector("figure.plot")).map((s) => {
			const box = s.querySelector("figure.plot").getBoundingClientRect();
			return { section: s.id, clip: { x: box.left, y: box.top + scrollY, width: box.width, height: box.height, scale: 1 } };
		})`, &figures)
		var made []string
		for _, f := range figures {
			b.picture(filepath.Join(folder, f.Section+"-"+colours+".png"), f.Clip)
			made = append(made, f.Section)
		}
		assert.Equal(t, []string{"throughput", "latency", "locks"}, made)
	}
	assert.Empty(t, b.complaints())
}
