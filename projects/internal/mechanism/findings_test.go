package mechanism_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/mechanism"
)

func row(group, name string, size int, unit measure.Unit, median float64) measure.Result {
	return measure.Result{Group: group, Name: name, Size: size, Unit: unit, LowerIsBetter: unit.LowerIsBetter(),
		Variants: []measure.VariantResult{{Name: "Go", Values: []float64{median}, Median: median, Min: median, Max: median}}}
}

func finding(t *testing.T, title string, rows ...measure.Result) string {
	t.Helper()
	for _, f := range mechanism.Findings(&measure.Results{Rows: rows}) {
		if strings.Contains(f.Title, title) {
			return f.Text
		}
	}
	return ""
}

// The sentences go by the figures, also where those are not as usual.
func TestFindingsSayWhatTheFiguresSay(t *testing.T) {
	bw := func(name string, size int, rate float64) measure.Result {
		return row("transfer", "bw_"+name, size, measure.Messages, rate)
	}
	apart := []measure.Result{bw("pipe", 64, 1e6), bw("shm_sem", 64, 8e6), bw("pipe", 1<<16, 1e4), bw("shm_sem", 1<<16, 1.2e4)}
	assert.Contains(t, finding(t, "Small messages", apart...),
		"At 64 B most goes through shared mem + sem (8.00 M msg/s), least through pipe (1.00 M msg/s), which is 8.0 times.")
	text := finding(t, "Large messages", apart...)
	assert.Contains(t, text, "At 64 KiB, shared mem + sem leads with 786 MB/s. The first and the last are 1.2 times apart")
	assert.Contains(t, text, "so the choice matters less")
	apart[3] = bw("shm_sem", 1<<16, 9e5)
	assert.Contains(t, finding(t, "Large messages", apart...), "did not matter less")

	lat := func(name string, ns float64) measure.Result {
		return row("transfer", "lat_"+name, 64, measure.Nanoseconds, ns)
	}
	assert.Contains(t, finding(t, "Round trips", lat("pipe", 10e3), lat("fifo", 12e3)), "from pipe (10.0 µs) to FIFO (12.0 µs): 1.2 times. Who sleeps")
	assert.Contains(t, finding(t, "Round trips", lat("pipe", 10e3), row("exercise 12", "lat_ring", 64, "ns", 500), lat("fifo", 12e3)), "looks before it sleeps")
	assert.Contains(t, finding(t, "Round trips", lat("pipe", 10e3), lat("fifo", 90e3)), "more than the wake-up")
	assert.Contains(t, finding(t, "Round trips", lat("pipe", 10e3), lat("fifo", 11e3), lat("rpc_tcp", 90e3)), "Who sleeps", "a call is no channel")

	calls := func(name string, rate float64) measure.Result {
		return row("lock calls", "call_"+name, 0, "pairs/s", rate)
	}
	assert.Contains(t, finding(t, "UNDO", calls("semop", 1e6), calls("semop_undo", 7e5)), "30 % fewer")
	assert.Contains(t, finding(t, "UNDO", calls("semop", 1e6), calls("semop_undo", 12e5)), "this run shows no cost")
	assert.Contains(t, finding(t, "user space", calls("mutex", 2e7), calls("semop", 1e6)), "the mutex does 20 times as many")
	assert.NotContains(t, finding(t, "user space", calls("mutex", 1e6), calls("semop", 2e6)), "times as many")

	assert.Contains(t, finding(t, "procedure call", lat("unix_stream", 10e3), row("exercise 16", "lat_rpc_unix", 0, "ns", 20e3)), "a factor of 2.0")
	assert.Contains(t, finding(t, "procedure call", lat("unix_stream", 20e3), row("exercise 16", "lat_rpc_unix", 0, "ns", 10e3)), "does not show")
}

func TestFindingsOfRowsThatAreNotThereAreNotThere(t *testing.T) {
	assert.Empty(t, mechanism.Findings(&measure.Results{}))
	failed := measure.Result{Group: "transfer", Name: "bw_pipe", Size: 64, Failed: "wrong"}
	assert.Empty(t, mechanism.Findings(&measure.Results{Rows: []measure.Result{failed, failed}}))
	assert.Empty(t, finding(t, "Small", row("transfer", "bw_pipe", 64, measure.Messages, 1)), "one alone is no trade-off")
}

func TestFindingsOfARunAreWholeSentences(t *testing.T) {
	res, err := measure.Load(filepath.Join("..", "htmlreport", "testdata", "results.json"))
	require.NoError(t, err)
	found := mechanism.Findings(res)
	assert.Greater(t, len(found), 8)
	for _, f := range found {
		assert.Regexp(t, `^[0-9A-Z].*\.$`, f.Text)
		assert.NotRegexp(t, `%!|NaN|Inf|<nil>|  `, f.Text)
		command := regexp.MustCompile(`--only '?([^' ]*)`).FindStringSubmatch(f.Again)
		require.NotNil(t, command, f.Again)
		_, err := regexp.Compile(command[1])
		assert.NoError(t, err)
	}
}
