package benchdiff_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/benchdiff"
	"unpipc/projects/internal/measure"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func load(t *testing.T, name string) *measure.Results {
	t.Helper()
	res, err := measure.Load(filepath.Join("testdata", name))
	require.NoError(t, err)
	return res
}

func compare(t *testing.T, before, after string, o benchdiff.Options) *benchdiff.Diff {
	t.Helper()
	d, err := benchdiff.Compare(before, after, load(t, before), load(t, after), o)
	require.NoError(t, err)
	return d
}

// find is the line of a row's variant.
func find(t *testing.T, d *benchdiff.Diff, name, variant string) benchdiff.Line {
	t.Helper()
	for _, table := range d.Tables {
		for _, l := range table.Lines {
			if l.Name == name && l.Variant == variant {
				return l
			}
		}
	}
	require.Fail(t, "no such line", "%s %s", name, variant)
	return benchdiff.Line{}
}

func TestChangeIsJudgedByTheTestAndTheUnit(t *testing.T) {
	d := compare(t, "before.json", "after.json", benchdiff.Options{})
	for _, test := range []struct {
		what, row, variant string
		verdict            benchdiff.Verdict
		change, p          float64
	}{
		// 2 of the 252 ways to divide ten values lie as far apart as five above five.
		{"a greater rate is better", "bw_pipe", "Go", benchdiff.Better, 0.2, 2.0 / 252},
		{"a rate whose rounds lie among the others has not changed", "bw_pipe", "C", benchdiff.Same, -0.5 / 110, math.NaN()},
		{"a longer time is worse", "lat_pipe", "Go", benchdiff.Worse, 0.125, 2.0 / 252},
		{"equal times have not changed", "lat_pipe", "C", benchdiff.Same, 0, 1},
		{"rows without a size are compared too", "incr_mutex", "Go", benchdiff.Same, 0, math.NaN()},
	} {
		t.Run(test.what, func(t *testing.T) {
			l := find(t, d, test.row, test.variant)
			assert.Equal(t, test.verdict, l.Verdict)
			assert.InDelta(t, test.change, l.Change, 1e-9)
			if math.IsNaN(test.p) {
				assert.Greater(t, l.P, benchdiff.Alpha)
			} else {
				assert.InDelta(t, test.p, l.P, 1e-9)
			}
			assert.False(t, l.TooFew)
		})
	}
	assert.Equal(t, 1, d.Count(benchdiff.Better))
	assert.Equal(t, 1, d.Count(benchdiff.Worse))
	assert.Equal(t, 3, d.Count(benchdiff.Same))
}

func TestGeomeanIsOfAllChangesOfATableSignificantOrNot(t *testing.T) {
	d := compare(t, "before.json", "after.json", benchdiff.Options{})
	rates := d.Tables[0]
	require.Equal(t, measure.Messages, rates.Unit)
	assert.InEpsilon(t, math.Sqrt(100e3*110e3), rates.GeomeanBefore, 1e-9)
	assert.InEpsilon(t, math.Sqrt(120e3*109.5e3), rates.GeomeanAfter, 1e-9)
	assert.InDelta(t, math.Sqrt(1.2*109.5/110)-1, rates.GeomeanChange, 1e-9)
}

func TestRunAgainstItselfHasNoChangeAndNothingToNote(t *testing.T) {
	d := compare(t, "few.json", "few.json", benchdiff.Options{})
	assert.Zero(t, d.Count(benchdiff.Better)+d.Count(benchdiff.Worse))
	assert.Equal(t, []string{"±: the 95 % confidence interval of a median needs 6 rounds", "too few rounds in 2 of 2 lines: no difference can be significant at alpha 0.05 " +
		"with fewer than 4 in each run (--runs)"}, d.Notes)
}

func TestFewRoundsAreNeverSignificantAndThatIsSaid(t *testing.T) {
	d := compare(t, "few.json", "few.json", benchdiff.Options{})
	l := find(t, d, "bw_pipe", "Go")
	assert.Equal(t, benchdiff.Same, l.Verdict)
	assert.True(t, l.TooFew)
	assert.Equal(t, "∞", l.Before.Spread)
	assert.Equal(t, 3, l.Before.Rounds)
}

func TestTwoUnitsOfOneRowAreRefused(t *testing.T) {
	_, err := benchdiff.Compare("a.json", "b.json", load(t, "before.json"), load(t, "units.json"), benchdiff.Options{})
	assert.EqualError(t, err, "bw_pipe 1 KiB Go is in msg/s in a.json, and in B/s in b.json: they cannot be compared")
}

func TestRatiosAreComparedInsteadOfFigures(t *testing.T) {
	d := compare(t, "before.json", "after.json", benchdiff.Options{Ratios: true})
	rate := find(t, d, "bw_pipe", "Go to C")
	assert.Equal(t, benchdiff.Better, rate.Verdict, "a greater ratio of rates")
	assert.InDelta(t, 100.0/110, rate.Before.Median, 0.001)
	assert.Equal(t, benchdiff.Worse, find(t, d, "lat_pipe", "Go to C").Verdict, "a greater ratio of times")
}

func TestRowsThatAreNotKeptAreNotCompared(t *testing.T) {
	d := compare(t, "before.json", "after.json", benchdiff.Options{Keep: func(r *measure.Result) bool { return r.Name == "lat_pipe" }})
	require.Len(t, d.Tables, 1)
	assert.Len(t, d.Tables[0].Lines, 2)
}

func golden(t *testing.T, name string, write func(io.Writer, *benchdiff.Diff) error, o benchdiff.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b, compare(t, "before.json", "after.json", o)))
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, b.Bytes(), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String())
	return b.Bytes()
}

func TestTextIsAsRecorded(t *testing.T) {
	golden(t, "diff.txt", benchdiff.Text, benchdiff.Options{})
	golden(t, "ratios.txt", benchdiff.Text, benchdiff.Options{Ratios: true})
}

func TestMarkdownIsAsRecorded(t *testing.T) {
	golden(t, "diff.md", benchdiff.Markdown, benchdiff.Options{})
}

func TestJSONHasAllThatTheTablesHave(t *testing.T) {
	text := golden(t, "diff.json", benchdiff.JSON, benchdiff.Options{})
	var back benchdiff.Diff
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, benchdiff.Better, find(t, &back, "bw_pipe", "Go").Verdict)
}

func TestErrorsOfTheWriterComeBack(t *testing.T) {
	in, out, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, in.Close())
	require.NoError(t, out.Close())
	d := compare(t, "before.json", "after.json", benchdiff.Options{})
	for _, write := range []func(io.Writer, *benchdiff.Diff) error{benchdiff.Text, benchdiff.Markdown, benchdiff.JSON} {
		assert.ErrorIs(t, write(out, d), os.ErrClosed)
	}
}
