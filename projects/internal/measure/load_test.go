package measure_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
)

// written are the results of a run with a row of each kind, as JSON.
func written(t *testing.T) []byte {
	t.Helper()
	timed := func(n int64) (measure.Sample, error) {
		h := measure.NewTimes()
		for i := range n {
			if err := h.RecordValue(1000 + i); err != nil {
				return measure.Sample{}, err
			}
		}
		return measure.Sample{Elapsed: time.Duration(n) * time.Millisecond, Verified: n, Times: h}, nil
	}
	missing := func(int64) (measure.Sample, error) { return measure.Sample{}, measure.Skip("no dash here") }
	wrong := func(n int64) (measure.Sample, error) { return measure.Sample{Elapsed: 1, Verified: n - 1}, nil }
	rows := []measure.Row{
		{Group: "transfer", Name: "lat_x", Size: 64, Unit: measure.Nanoseconds,
			Variants: []measure.Variant{variant("Go", timed), variant("dash", missing), variant("C", timed)}},
		{Group: "transfer", Name: "bw_x", Unit: "op/s", Variants: []measure.Variant{variant("Go", good), variant("C", good)}},
		{Group: "transfer", Name: "failed", Unit: "op/s", Variants: []measure.Variant{variant("Go", wrong)}},
		{Group: "transfer", Name: "skipped", Unit: "op/s", Variants: []measure.Variant{variant("Go", missing)}},
	}
	rows[1].Variants[1].Goal = 0.9
	res, err := measure.Run(t.Context(), rows, quick, nil)
	require.NoError(t, err)
	text, err := json.Marshal(res)
	require.NoError(t, err)
	return text
}

func TestResultsAreReadBackAsTheyWereWritten(t *testing.T) {
	text := written(t)
	path := filepath.Join(t.TempDir(), "results.json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	res, err := measure.Load(path)
	require.NoError(t, err)
	again, err := json.Marshal(res)
	require.NoError(t, err)
	assert.JSONEq(t, string(text), string(again))
	assert.Len(t, res.Rows, 4)
}

func TestDistributionGoesFromTheLeastToTheGreatestAndNoFurtherThanItsOperations(t *testing.T) {
	res, err := measure.Read(bytes.NewReader(written(t)))
	require.NoError(t, err)
	times := res.Rows[0].Variants[0].Times
	require.NotNil(t, times)
	q := times.Quantiles
	assert.Equal(t, 0.0, q[0].Q)
	assert.Equal(t, int64(1000), q[0].NS)
	assert.Equal(t, 1.0, q[len(q)-1].Q)
	assert.Equal(t, times.Max, q[len(q)-1].NS)
	operations := float64(res.Rows[0].Variants[0].Verified)
	for i, p := range q[:len(q)-1] {
		assert.GreaterOrEqual(t, (1-p.Q)*operations, 1.0, "at %g one operation at least is slower", p.Q)
		assert.LessOrEqual(t, p.NS, q[i+1].NS)
		if p.Q == 0.5 {
			assert.Equal(t, times.P50, p.NS)
		}
	}
}

func TestFileThatHasNoResultsIsRefusedWithItsNameAndTheReason(t *testing.T) {
	text := string(written(t))
	change := func(old, new string) string {
		require.Contains(t, text, old)
		return strings.Replace(text, old, new, 1)
	}
	for name, test := range map[string]struct{ text, want string }{
		"an empty file":                     {"", "an empty file"},
		"a truncated file":                  {text[:len(text)/2], "the file is cut short after"},
		"one that lacks its last byte":      {text[:len(text)-1], "the file is cut short after"},
		"two results in one file":           {text + text, "no results of ipc_suite benchmark --format json: byte"},
		"a table":                           {"Machine: a CPU\n", "no results of ipc_suite benchmark --format json: byte 1"},
		"JSON of something else":            {`{"rows": 7}`, "no results of ipc_suite benchmark --format json"},
		"a list":                            {`[1, 2]`, "no results of ipc_suite benchmark --format json"},
		"another version":                   {change(`"version":1`, `"version":2`), "results of version 2; this program reads version 1"},
		"a field of another type":           {change(`"runs":3`, `"runs":"many"`), "runs"},
		"no rounds":                         {change(`"runs":3`, `"runs":0`), "no rounds"},
		"no rows":                           {`{"format":"unpipc benchmark results","version":1,"runs":3}`, "no rows"},
		"a row without a name":              {change(`"name":"lat_x"`, `"name":""`), "row 1 (): no name"},
		"a unit that is a rate, as a time":  {change(`"lower_is_better":true`, `"lower_is_better":false`), "row 1 (lat_x): lower_is_better"},
		"a row that failed and has figures": {change(`"lower_is_better":true`, `"lower_is_better":true,"failed":"x"`), "exactly one"},
		"a row without anything":            {change(`"failed":"Go`, `"was":"Go`), "row 3 (failed): of failed"},
		"a figure of nothing":               {change(`"median":1000`, `"median":0`), "row 2 (bw_x): Go: the figure 0"},
		"a median out of its bounds":        {change(`"median":1000`, `"median":1001`), "the figure 1001, of 1000 to 1000"},
		"fewer rounds than ours":            {change(`"values":[1,1,1]`, `"values":[1,1]`), "2 ratios of 3 rounds"},
		"a peer without a ratio":            {change(`"ratio":`, `"was":`), "the ratio to ours"},
		"a quantile over the greatest":      {change(`"q":0.01`, `"q":2`), "quantile 2"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "results.json")
			require.NoError(t, os.WriteFile(path, []byte(test.text), 0o600))
			_, err := measure.Load(path)
			require.ErrorContains(t, err, path+": ")
			assert.ErrorContains(t, err, test.want)
		})
	}
}

func TestFileThatCannotBeReadIsNamed(t *testing.T) {
	dir := t.TempDir()
	_, err := measure.Load(filepath.Join(dir, "none.json"))
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "none.json")
	_, err = measure.Load(dir)
	assert.ErrorContains(t, err, dir)
}
