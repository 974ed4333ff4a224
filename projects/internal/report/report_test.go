package report_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func yes(b bool) *bool { return &b }

// results has a row of every kind.
func results() *measure.Results {
	const bw, lat, sums = "from the first write to the last read", "from write to read", "checksums"
	row := func(group, name string, size int, unit measure.Unit, what string, v ...measure.VariantResult) measure.Result {
		return measure.Result{Group: group, Name: name, What: what, Check: sums, Size: size, Unit: unit,
			LowerIsBetter: unit.LowerIsBetter(), Variants: v}
	}
	rate := func(name string, median, bytes float64, r *measure.Ratio) measure.VariantResult {
		return measure.VariantResult{Name: name, Values: []float64{median, median * 0.9, median * 1.05}, Median: median,
			Min: median * 0.9, Max: median * 1.05, BytesPerSecond: bytes, Operations: 1000, Verified: 3000, Ratio: r}
	}
	times := func(v measure.VariantResult, avg float64, p50, p99, p999, most int64) measure.VariantResult {
		v.Times = &measure.Times{Avg: avg, P50: p50, P99: p99, P999: p999, Max: most,
			Quantiles: []measure.Quantile{{Q: 0, NS: p50 / 2}, {Q: 0.5, NS: p50}, {Q: 1, NS: most}}}
		return v
	}
	ratio := func(median, goal float64, met *bool) *measure.Ratio {
		return &measure.Ratio{Values: []float64{median - 0.1, median, median + 0.1}, Median: median, Min: median - 0.1, Max: median + 0.1, Goal: goal, Met: met}
	}
	failed := row("transfer", "bw_fifo", 64, measure.Messages, bw)
	failed.Failed = "C: recv: message 5: wrong sequence number"
	skipped := row("transfer", "bw_fifo", 1<<20, measure.Messages, bw)
	skipped.Skipped = "Go: a packet of 1048576 bytes needs more"
	contended := row("lock contention", "incr_mutex_threads", 0, "increments/s", "4 threads", rate("Go", 5e6, 0, nil))
	contended.Workers = 4
	return &measure.Results{
		Format: measure.Format, Version: measure.Version,
		Machine: measure.Machine{CPU: "A CPU", Cores: 2, MemoryBytes: 1 << 30, Virtual: true, Kernel: "6.1", Go: "1.26 amd64",
			Compiler: "cc 12.2", Load: "0.75 0.10 0.20", Date: "2026-01-02T03:04:05Z"},
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Seconds: 12.5, Runs: 3, BudgetNS: 300e6, Pin: []int{0, 1}, RealTime: true,
		Rows: []measure.Result{
			row("transfer", "bw_pipe", 64, measure.Messages, bw, rate("Go", 2.5e6, 160e6, nil), rate("C", 2.6e6, 166e6, ratio(0.96, 0.9, yes(true)))),
			row("transfer", "bw_pipe", 1<<10, measure.Messages, bw, rate("Go", 999700, 9.998e8, nil), rate("C", 1e6, 1e9, ratio(0.9396, 0.95, yes(false)))),
			failed, skipped,
			row("transfer", "lat_pipe", 1536, measure.Nanoseconds, lat,
				times(rate("Go", 9998, 0, nil), 9100.5, 9998, 25000, 1.2e6, 3e6),
				times(rate("C", 8300, 0, ratio(1.02, 1.15, yes(true))), 9000, 8300, 24000, 1e6, 2e6)),
			row("exercise 1", "bw_pipeline", 1<<20, measure.Bytes, bw, rate("Go", 2.1e9, 2.1e9, nil), rate("bash", 2e9, 2e9, ratio(1.05, 1, yes(true))),
				measure.VariantResult{Name: "dash", Skipped: "no dash here"}, rate("C", 2.1e9, 2.1e9, ratio(1, 0, nil))),
			contended,
			row("exercise 1", "alone", 0, "op/s", bw, rate("Go", 12, 0, nil)),
			row("exercise 1", "start", 0, measure.Nanoseconds, bw, rate("Go", 1.5e6, 0, nil), rate("bash", 3e6, 0, ratio(0.5, 1, yes(true)))),
		},
	}
}

func golden(t *testing.T, name string, write func(io.Writer, *measure.Results) error) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b, results()))
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, b.Bytes(), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String())
	return b.Bytes()
}

func TestTableIsAsRecorded(t *testing.T)    { golden(t, "results.txt", report.Table) }
func TestMarkdownIsAsRecorded(t *testing.T) { golden(t, "results.md", report.Markdown) }

func TestJSONIsAsRecordedAndReadsBackWhole(t *testing.T) {
	text := golden(t, "results.json", report.JSON)
	back, err := measure.Read(bytes.NewReader(text))
	require.NoError(t, err)
	assert.Equal(t, results(), back)
}

func TestCSVIsAsRecordedWithALineForEachVariant(t *testing.T) {
	text := golden(t, "results.csv", report.CSV)
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, report.Fields, lines[0])
	assert.Len(t, lines, 1+2+2+1+1+2+4+1+1+2)
}

func TestRunWithoutRowsIsReportedToo(t *testing.T) {
	res := &measure.Results{Runs: 5, BudgetNS: 1e9, Rows: []measure.Result{}}
	for _, write := range []func(io.Writer, *measure.Results) error{report.Table, report.Markdown, report.JSON, report.CSV} {
		var b bytes.Buffer
		require.NoError(t, write(&b, res))
		assert.NotEmpty(t, b.String())
	}
}

func TestErrorsOfTheWriterComeBack(t *testing.T) {
	in, out, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, in.Close())
	require.NoError(t, out.Close())
	for _, write := range []func(io.Writer, *measure.Results) error{report.Table, report.Markdown, report.JSON, report.CSV} {
		assert.ErrorIs(t, write(out, results()), os.ErrClosed)
	}
}

func TestProgressIsPlainLinesWhereThereIsNoTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	defer f.Close()
	show := report.Progress(f)
	show(measure.Progress{Row: &measure.Row{Name: "bw_pipe", Size: 1024}, Total: 2})
	show(measure.Progress{Row: &measure.Row{Name: "lat_pipe"}, Done: 1, Total: 2, Elapsed: 3 * time.Second, Left: 3400 * time.Millisecond})
	show(measure.Progress{Done: 2, Total: 2, Elapsed: 6 * time.Second})
	text, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	assert.Equal(t, "[1/2] bw_pipe 1 KiB\n[2/2] lat_pipe, 3s left\n[2/2] done in 6s\n", string(text))
}

func TestProgressIsABarOnATerminal(t *testing.T) {
	master, terminal := openTerminal(t)
	show := report.Progress(terminal)
	show(measure.Progress{Row: &measure.Row{Name: "bw_pipe", Size: 64}, Total: 2})
	show(measure.Progress{Row: &measure.Row{Name: "lat_pipe"}, Done: 1, Total: 2})
	show(measure.Progress{Done: 2, Total: 2})
	require.NoError(t, terminal.Close())
	var text bytes.Buffer
	_, _ = io.Copy(&text, master) // ends with EIO: the other side is closed
	assert.Contains(t, text.String(), "bw_pipe 64 B")
	assert.Contains(t, text.String(), "\r")
	assert.Contains(t, text.String(), "1/2")
}
