package measure_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/measure"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// paced is a variant that claims to need each[i] in its i-th run after the
// calibration, and the last of them from then on.
func paced(name string, log *[]string, each ...time.Duration) measure.Variant {
	near, round := 0, 0
	return measure.Variant{Name: name, Run: func(_ context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
		d := each[min(round, len(each)-1)]
		if near == 2 {
			round++
			*log = append(*log, name)
		}
		elapsed := time.Duration(n) * d
		if near < 2 && elapsed*3 > cfg.Budget {
			near++ // and once more, to be sure
		}
		return measure.Sample{Elapsed: elapsed, Verified: n}, nil
	}}
}

func variant(name string, run func(n int64) (measure.Sample, error)) measure.Variant {
	return measure.Variant{Name: name, Run: func(_ context.Context, _ *measure.Config, n int64) (measure.Sample, error) {
		return run(n)
	}}
}

func good(n int64) (measure.Sample, error) {
	return measure.Sample{Elapsed: time.Duration(n) * time.Millisecond, Verified: n}, nil
}

var quick = measure.Config{Runs: 3, Budget: 80 * time.Millisecond}

func runRow(t *testing.T, row measure.Row, cfg measure.Config) measure.Result {
	t.Helper()
	res, err := measure.Run(t.Context(), []measure.Row{row}, cfg, nil)
	require.NoError(t, err)
	require.Len(t, res.Rows, 1)
	return res.Rows[0]
}

func TestOrderOfVariantsRotatesFromRoundToRound(t *testing.T) {
	var log []string
	var variants []measure.Variant
	for _, name := range []string{"a", "b", "c"} {
		variants = append(variants, paced(name, &log, time.Millisecond))
	}
	runRow(t, measure.Row{Name: "x", Unit: "op/s", Variants: variants}, quick)
	assert.Equal(t, "abc bca cab", strings.Join(log[:3], "")+" "+strings.Join(log[3:6], "")+" "+strings.Join(log[6:], ""))
}

func TestRowWhoseCheckFailsHasAReasonAndNoFigures(t *testing.T) {
	for name, test := range map[string]struct {
		run  func(n int64) (measure.Sample, error)
		want string
	}{
		"a wrong answer is reported": {
			func(int64) (measure.Sample, error) {
				return measure.Sample{}, errors.Join(errors.New("message 3: wrong"), errors.New("gone"))
			}, "C: message 3: wrong; gone"},
		"too few operations were verified": {
			func(n int64) (measure.Sample, error) {
				return measure.Sample{Elapsed: time.Duration(n) * time.Millisecond, Verified: n - 1}, nil
			}, "C: 0 of 1 operations were verified"},
		"no time went by": {
			func(n int64) (measure.Sample, error) { return measure.Sample{Verified: n}, nil },
			"C: 1 operations in 0s"},
		"not all operations were timed": {
			func(n int64) (measure.Sample, error) {
				return measure.Sample{Elapsed: time.Second, Verified: n, Times: measure.NewTimes()}, nil
			}, "C: 0 of 1 operations were timed"},
	} {
		t.Run(name, func(t *testing.T) {
			row := measure.Row{Name: "x", Unit: "op/s", Variants: []measure.Variant{variant("Go", good), variant("C", test.run)}}
			res, err := measure.Run(t.Context(), []measure.Row{row, {Name: "y", Unit: "op/s", Variants: row.Variants[:1]}}, quick, nil)
			require.NoError(t, err)
			assert.Equal(t, test.want, res.Rows[0].Failed)
			assert.Empty(t, res.Rows[0].Variants)
			assert.Len(t, res.Failures(), 1)
			assert.Len(t, res.Rows[1].Variants, 1, "the next row is measured all the same")
		})
	}
}

func TestCheckThatFailsOnlyInALaterRoundFailsTheRow(t *testing.T) {
	runs := 0
	row := measure.Row{Name: "x", Unit: "op/s", Variants: []measure.Variant{variant("Go", func(n int64) (measure.Sample, error) {
		s, err := good(n)
		if runs++; runs > 3 {
			s.Verified--
		}
		return s, err
	})}}
	r := runRow(t, row, quick)
	assert.Equal(t, "Go: 79 of 80 operations were verified", r.Failed)
	assert.Empty(t, r.Variants)
}

func TestWhatTheMachineDoesNotAllowIsSkippedWithItsReason(t *testing.T) {
	missing := func(int64) (measure.Sample, error) { return measure.Sample{}, measure.Skip("no dash here") }
	row := measure.Row{Name: "x", Unit: "op/s", Variants: []measure.Variant{variant("Go", good), variant("dash", missing), variant("C", good)}}
	r := runRow(t, row, quick)
	assert.Empty(t, r.Failed)
	require.Len(t, r.Variants, 3)
	assert.Equal(t, "no dash here", r.Variants[1].Skipped)
	assert.Nil(t, r.Variants[1].Ratio)
	assert.NotNil(t, r.Variants[2].Ratio)

	row.Variants[0] = variant("Go", missing)
	r = runRow(t, row, quick)
	assert.Equal(t, "Go: no dash here", r.Skipped)
	assert.Empty(t, r.Failed)
	assert.Empty(t, r.Variants)
}

func TestRunWithoutEndIsAFailureOfItsRow(t *testing.T) {
	hang := measure.Variant{Name: "Go", Run: func(ctx context.Context, _ *measure.Config, _ int64) (measure.Sample, error) {
		<-ctx.Done()
		return measure.Sample{}, context.Cause(ctx)
	}}
	cfg := quick
	cfg.Timeout = time.Millisecond
	r := runRow(t, measure.Row{Name: "x", Unit: "op/s", Variants: []measure.Variant{hang}}, cfg)
	assert.Equal(t, "Go: no end within 1ms", r.Failed)
}

func TestCancelledRunReturnsTheRowsItFinished(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("enough")
	rows := []measure.Row{
		{Name: "x", Unit: "op/s", Variants: []measure.Variant{variant("Go", good)}},
		{Name: "y", Unit: "op/s", Variants: []measure.Variant{variant("Go", func(n int64) (measure.Sample, error) {
			cancel(stop)
			return good(n)
		})}},
	}
	res, err := measure.Run(ctx, rows, quick, nil)
	assert.Equal(t, stop, err)
	require.Len(t, res.Rows, 1)
	assert.Equal(t, "x", res.Rows[0].Name)
}

func TestProgressIsToldBeforeEachRowAndAfterTheLast(t *testing.T) {
	rows := []measure.Row{
		{Name: "x", Unit: "op/s", Variants: []measure.Variant{variant("Go", good)}},
		{Name: "y", Unit: "op/s", Variants: []measure.Variant{variant("Go", good)}},
	}
	var told []string
	_, err := measure.Run(t.Context(), rows, quick, func(p measure.Progress) {
		name := "end"
		if p.Row != nil {
			name = p.Row.Name
		}
		told = append(told, name)
		assert.Equal(t, 2, p.Total)
		assert.Equal(t, len(told)-1, p.Done)
		assert.GreaterOrEqual(t, p.Elapsed, p.Left*0)
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"x", "y", "end"}, told)
}

func TestDefaultsFillWhatIsZeroAndKeepTheRest(t *testing.T) {
	d := measure.Config{Sizes: []int{1}}.Defaults()
	assert.Equal(t, 5, d.Runs)
	assert.Positive(t, d.Budget)
	assert.Positive(t, d.Timeout)
	assert.Equal(t, []int{1}, d.Sizes)
	assert.Equal(t, 9, measure.Config{Runs: 9}.Defaults().Runs)
}

func TestDetailsAreLeftOutWhereItIsToBeQuick(t *testing.T) {
	rows := []measure.Row{
		{Name: "x", Unit: "op/s", Variants: []measure.Variant{variant("Go", good)}},
		{Name: "y", Unit: "op/s", Variants: []measure.Variant{variant("Go", good)}, Detail: true},
	}
	for hurry, want := range map[bool]int{true: 1, false: 2} {
		cfg := quick
		cfg.Quick = hurry
		res, err := measure.Run(t.Context(), rows, cfg, nil)
		require.NoError(t, err)
		assert.Len(t, res.Rows, want)
		assert.Equal(t, hurry, res.Quick)
	}
}
