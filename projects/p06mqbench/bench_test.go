package p06mqbench

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
)

// lines are made up: the mechanism's position decides the figures.
func lines(sizes ...int) []Line {
	var all []Line
	for _, size := range sizes {
		for i := range Mechanisms {
			f := &Figures{MessagesPerSecond: float64(1e6 + i), BytesPerSecond: float64((1e6 + i) * size), AvgNS: 800, P99NS: 2149}
			all = append(all, Line{Mechanism: &Mechanisms[i], Size: size, Iterations: 100_000,
				Go: f, C: f, RateRatio: 0.954, TimeRatio: 1.046})
		}
	}
	return all
}

func TestWinnersFollowFromTheFigures(t *testing.T) {
	for name, test := range map[string]struct {
		rates       []float64 // by mechanism; 0: not measured
		raw, simple string
	}{
		"shared memory and the socket": {[]float64{1.2, 1.1, 1.4, 0.8, 0.6, 2.8}, "Shared Memory", "Unix Domain Socket"},
		"the pipe wins both":           {[]float64{3, 1, 1, 1, 1, 1}, "Pipe", "Pipe"},
		"a FIFO is not simple":         {[]float64{1, 9, 2, 1, 1, 1}, "FIFO", "Unix Domain Socket"},
		"what was not measured":        {[]float64{1, 0, 0, 0, 2, 0}, "System V Message Queue", "Pipe"},
		"nothing":                      {make([]float64, 6), "", ""},
	} {
		all := lines(1)
		for i, r := range test.rates {
			all[i].Go = &Figures{BytesPerSecond: r}
			if r == 0 {
				all[i].Go = nil
			}
		}
		raw, simple := Winners(all)
		assert.Equal(t, test.raw, raw, name)
		assert.Equal(t, test.simple, simple, name)
	}
}

func TestTableIsTheGuides(t *testing.T) {
	all := lines(1024)
	all[3].Go, all[3].C, all[3].Skipped = nil, nil, "sysctl x=1"
	all[4].Go, all[4].C, all[4].Failed = nil, nil, "Go: wrong"
	var b strings.Builder
	require.NoError(t, Table(&b, &Plan{}, all))
	assert.Equal(t, `IPC Mechanism Benchmark (1KB messages, 100K iterations)
═══════════════════════════════════════════════════════

Mechanism              Throughput     Latency (avg)   Latency (p99)   Go/C throughput   Go/C latency
────────────────────────────────────────────────────────────────────────────────────────────────────
Pipe                   1.0 GB/s       0.8 µs          2.1 µs          0.95              1.05
FIFO                   1.0 GB/s       0.8 µs          2.1 µs          0.95              1.05
Unix Domain Socket     1.0 GB/s       0.8 µs          2.1 µs          0.95              1.05
POSIX Message Queue    -              -               -
System V Message Queue FAILED         -               -
Shared Memory + Sem    1.0 GB/s       0.8 µs          2.1 µs          0.95              1.05

Winner: Shared Memory (for raw throughput)
Best simplicity: Unix Domain Socket

POSIX Message Queue: not possible here: sysctl x=1
System V Message Queue: FAILED: Go: wrong

`+explanation+"\n", b.String())
}

func TestJSONAndCSVTellTheSame(t *testing.T) {
	all := lines(64, 1024)
	all[0].C, all[0].RateRatio, all[0].TimeRatio, all[0].SkippedC = nil, 0, 0, "make build"
	var j, c bytes.Buffer
	require.NoError(t, JSON(&j, &Plan{Sizes: []int{64, 1024}, Runs: 3}, all))
	require.NoError(t, CSV(&c, nil, all))
	var parsed struct {
		Results []map[string]any
		Winners []map[string]any
	}
	require.NoError(t, json.Unmarshal(j.Bytes(), &parsed))
	rows, err := csv.NewReader(&c).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, csvHeader, rows[0])
	require.Len(t, rows, 1+2*2*len(Mechanisms))
	require.Len(t, parsed.Results, len(rows)-1)
	assert.Equal(t, "Shared Memory", parsed.Winners[1]["throughput"])
	assert.Equal(t, "make build", parsed.Results[1]["skipped"])
	for i, r := range parsed.Results {
		assert.Equal(t, r["mechanism"], rows[i+1][0])
		assert.Equal(t, r["language"], rows[i+1][3])
	}
}

func TestPlotIsAnSVGWithEveryMechanism(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.svg")
	require.NoError(t, Plot(file, lines(1, 64, 1024)))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, m := range Mechanisms {
		assert.Contains(t, string(text), ">"+m.Name+"<")
	}
	for d := xml.NewDecoder(bytes.NewReader(text)); err != io.EOF; {
		_, err = d.Token()
		require.True(t, err == nil || err == io.EOF, "%v", err)
	}
	assert.Error(t, Plot(file, lines(64)), "one size")
	assert.ErrorIs(t, Plot(filepath.Join(t.TempDir(), "no", "such.svg"), lines(1, 64)), os.ErrNotExist)
}

func TestEveryMechanismIsMeasured(t *testing.T) {
	plan := &Plan{Sizes: []int{1, 4096}, Iterations: 300, Runs: 2, Bin: t.TempDir()}
	told := 0
	all, err := Run(t.Context(), plan, func(measure.Progress) { told++ })
	require.NoError(t, err)
	require.Len(t, all, 2*len(Mechanisms))
	assert.Equal(t, len(all)+1, told)
	for _, l := range all {
		require.Empty(t, l.Failed)
		require.NotNil(t, l.Go, "%s: %s", l.Mechanism.Name, l.Skipped)
		assert.Positive(t, l.Go.MessagesPerSecond)
		assert.InEpsilon(t, l.Go.MessagesPerSecond*float64(l.Size), l.Go.BytesPerSecond, 1e-9)
		assert.Positive(t, l.Go.AvgNS)
		assert.Positive(t, l.Go.P99NS)
		assert.Nil(t, l.C)
		assert.Contains(t, l.SkippedC, "make build")
	}
}

func TestEndOfTheContextEndsTheRun(t *testing.T) {
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := Run(ctx, &Plan{Sizes: []int{64}, Iterations: 1 << 30, Runs: 1}, func(measure.Progress) { cancel(reason) })
	assert.ErrorIs(t, err, reason)
}

func TestIterationsOfASweepAreBoundedByTheirBytes(t *testing.T) {
	p := Plan{Iterations: 1000, Volume: 1 << 20}
	assert.Equal(t, 1000, p.iterations(1))
	assert.Equal(t, 512, p.iterations(2048))
	assert.Equal(t, minIterations, p.iterations(1<<20))
	p.Volume = 0
	assert.Equal(t, 1000, p.iterations(1<<20))
}

func TestAmounts(t *testing.T) {
	for text, want := range map[string]int{"1024": 1024, "1KB": 1024, "1KiB": 1024, "1k": 1024, "64B": 64, "1MB": 1 << 20,
		"1GB": 0, "": 0, "B": 0, "KB": 0, "0": 0, "-1": 0, "1.5KB": 0, "1XB": 0, "2000M": 0, "99999999999": 0} {
		n, err := ParseSize(text)
		assert.Equal(t, want == 0, err != nil, text)
		assert.Equal(t, want, n, text)
	}
	for text, want := range map[string]int{"100000": 100_000, "100K": 100_000, "1M": 1_000_000, "0": 0, "x": 0, "5000M": 0} {
		n, err := ParseCount(text)
		assert.Equal(t, want == 0, err != nil, text)
		assert.Equal(t, want, n, text)
	}
	assert.Equal(t, "1KB 1500B 2MB", size(1024)+" "+size(1500)+" "+size(2<<20))
	assert.Equal(t, "100K 1500 1M", count(100_000)+" "+count(1500)+" "+count(1_000_000))
}
