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

var quick = measure.Config{Runs: 3, Budget: 80 * time.Millisecond}

func runRow(t *testing.T, row measure.Row, cfg measure.Config) measure.Result {
	t.Helper()
	res, err := measure.Run(t.Context(), []measure.Row{row}, cfg, nil)
	require.NoError(t, err)
	require.Len(t, res.Rows, 1)
	return res.Rows[0]
}

func TestRatiosAreTakenWithinEachRoundAndReportedByTheirMedian(t *testing.T) {
	var log []string
	const ms = time.Millisecond
	// The machine is twice as slow in the second round: the ratio does not see it.
	ours, peer := paced("Go", &log, 1*ms, 2*ms, 1*ms), paced("C", &log, 2*ms, 4*ms, 8*ms)
	peer.Goal = 2
	r := runRow(t, measure.Row{Name: "bw_x", Size: 10, Unit: measure.Messages, Variants: []measure.Variant{ours, peer}}, quick)
	require.Empty(t, r.Failed)
	require.Len(t, r.Variants, 2)
	assert.Equal(t, []float64{1000, 500, 1000}, r.Variants[0].Values)
	assert.Equal(t, 1000.0, r.Variants[0].Median)
	assert.Equal(t, 500.0, r.Variants[0].Min)
	assert.Equal(t, 1000.0, r.Variants[0].Max)
	assert.Equal(t, 10000.0, r.Variants[0].BytesPerSecond)
	assert.Equal(t, 3*r.Variants[0].Operations, r.Variants[0].Verified)
	assert.Nil(t, r.Variants[0].Ratio)
	ratio := r.Variants[1].Ratio
	require.NotNil(t, ratio)
	assert.Equal(t, []float64{2, 2, 8}, ratio.Values)
	assert.Equal(t, [3]float64{2, 2, 8}, [3]float64{ratio.Median, ratio.Min, ratio.Max})
	require.NotNil(t, ratio.Met)
	assert.True(t, *ratio.Met)
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

func TestRunsAreCalibratedToTheBudget(t *testing.T) {
	for _, each := range []time.Duration{100, 12_345, time.Millisecond, time.Hour} {
		var log []string
		r := runRow(t, measure.Row{Name: "x", Unit: "op/s", Variants: []measure.Variant{paced("Go", &log, each)}}, quick)
		require.Empty(t, r.Failed)
		want := max(1, float64(quick.Budget/each))
		assert.InEpsilon(t, want, r.Variants[0].Operations, 0.05, "%v each", each)
	}
}

func TestUnitDecidesWhatAValueIsAndWhichWayIsBetter(t *testing.T) {
	for _, test := range []struct {
		unit  measure.Unit
		value float64
		goal  float64
		met   bool
	}{
		{measure.Messages, 500, 0.5, true},
		{measure.Messages, 500, 0.51, false},
		{measure.Bytes, 500 * 64, 0.5, true},
		{"incr/s", 500, 0.51, false},
		{measure.Nanoseconds, 2e6, 2, true},
		{measure.Nanoseconds, 2e6, 1.99, false},
	} {
		var log []string
		peer := paced("C", &log, time.Millisecond)
		peer.Goal = test.goal
		r := runRow(t, measure.Row{Name: "x", Size: 64, Unit: test.unit,
			Variants: []measure.Variant{paced("Go", &log, 2*time.Millisecond), peer}}, quick)
		require.Empty(t, r.Failed)
		assert.InEpsilon(t, test.value, r.Variants[0].Median, 1e-9, "%+v", test)
		assert.Equal(t, test.met, *r.Variants[1].Ratio.Met, "%+v", test)
		assert.Equal(t, test.unit == measure.Nanoseconds, r.LowerIsBetter)
	}
}

func TestTimesOfAllRunsAreMergedAndTheSlowestTwentiethDoesNotCount(t *testing.T) {
	run := func(_ context.Context, _ *measure.Config, n int64) (measure.Sample, error) {
		h := measure.NewTimes()
		for i := range n {
			if err := h.RecordValue(1000 + 1000*(i%2)*(i%10/9)); err != nil {
				return measure.Sample{}, err
			}
		}
		return measure.Sample{Elapsed: time.Duration(n) * time.Millisecond, Verified: n, Times: h}, nil
	}
	r := runRow(t, measure.Row{Name: "lat_x", Unit: measure.Nanoseconds, Variants: []measure.Variant{{Name: "Go", Run: run}}},
		measure.Config{Runs: 5, Budget: 100 * time.Millisecond})
	require.Empty(t, r.Failed)
	v := r.Variants[0]
	assert.InEpsilon(t, (90*1000+5*2000)/95.0, v.Median, 0.001)
	require.NotNil(t, v.Times)
	assert.InEpsilon(t, 1100, v.Times.Avg, 0.001)
	assert.InEpsilon(t, 1000, v.Times.P50, 0.001)
	assert.InEpsilon(t, 2000, v.Times.P99, 0.001)
	assert.InEpsilon(t, 2000, v.Times.P999, 0.001)
	assert.Equal(t, int64(500), v.Verified)
}

func variant(name string, run func(n int64) (measure.Sample, error)) measure.Variant {
	return measure.Variant{Name: name, Run: func(_ context.Context, _ *measure.Config, n int64) (measure.Sample, error) {
		return run(n)
	}}
}

func good(n int64) (measure.Sample, error) {
	return measure.Sample{Elapsed: time.Duration(n) * time.Millisecond, Verified: n}, nil
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

func TestMedianOfAnEvenNumberOfRoundsIsTheMeanOfTheMiddle(t *testing.T) {
	var log []string
	ms := time.Millisecond
	cfg := quick
	cfg.Runs = 4
	r := runRow(t, measure.Row{Name: "x", Unit: measure.Nanoseconds,
		Variants: []measure.Variant{paced("Go", &log, 8*ms, 1*ms, 4*ms, 2*ms)}}, cfg)
	require.Len(t, r.Variants, 1)
	assert.InEpsilon(t, 3e6, r.Variants[0].Median, 1e-9)
}

func TestDefaultsFillWhatIsZeroAndKeepTheRest(t *testing.T) {
	d := measure.Config{Sizes: []int{1}}.Defaults()
	assert.Equal(t, 5, d.Runs)
	assert.Positive(t, d.Budget)
	assert.Positive(t, d.Timeout)
	assert.Equal(t, []int{1}, d.Sizes)
	assert.Equal(t, 9, measure.Config{Runs: 9}.Defaults().Runs)
}

func TestTwinInCHasAGoalOfItsOwnOrTheUsualOne(t *testing.T) {
	for _, test := range []struct {
		name string
		goal float64
		size int
		unit measure.Unit
		want float64
	}{
		{"C", 0, 0, "op/s", 1 / 1.5},
		{"C", 0, 1023, measure.Messages, 1 / 1.5},
		{"C", 0, 1024, measure.Messages, 1 / 1.1},
		{"C", 0, 1024, measure.Nanoseconds, 1.1},
		{"C", 0, 64, measure.Nanoseconds, 1.5},
		{"C", 0.95, 1024, measure.Messages, 0.95},
		{"C", measure.NoGoal, 1024, measure.Messages, 0},
		{"bash", 0, 1024, measure.Messages, 0},
	} {
		peer := variant(test.name, good)
		peer.Goal = test.goal
		r := runRow(t, measure.Row{Name: "x", Size: test.size, Unit: test.unit, Variants: []measure.Variant{variant("Go", good), peer}}, quick)
		ratio := r.Variants[1].Ratio
		assert.InDelta(t, test.want, ratio.Goal, 1e-9, "%+v", test)
		assert.Equal(t, test.want != 0, ratio.Met != nil, "%+v", test)
	}
}

func TestRowsShareTheTimeThatAllOfThemHave(t *testing.T) {
	operations := func(total time.Duration) (n []int64) {
		var log []string
		var rows []measure.Row
		for range 10 {
			rows = append(rows, measure.Row{Name: "x", Unit: "op/s", Variants: []measure.Variant{paced("Go", &log, time.Millisecond)}})
		}
		res, err := measure.Run(t.Context(), rows, measure.Config{Runs: 5, Budget: time.Second, Total: total}, nil)
		require.NoError(t, err)
		for _, r := range res.Rows {
			require.Empty(t, r.Failed)
			n = append(n, r.Variants[0].Operations)
		}
		return n
	}
	for _, n := range operations(time.Hour) {
		assert.Equal(t, int64(1000), n, "a run is no longer than its budget")
	}
	// The claimed times do not pass, so that the later rows have more.
	assert.LessOrEqual(t, operations(10 * time.Second)[0], int64(200), "a fiftieth of ten seconds")
	assert.Equal(t, int64(5), operations(1)[0], "no run is shorter than means something")
}

func TestTimeBesideTheMeasurementIsSetAsideForTheRowThatNeedsIt(t *testing.T) {
	var log []string
	row := func(beside time.Duration) measure.Row {
		return measure.Row{Name: "x", Unit: "op/s", Beside: beside, Variants: []measure.Variant{paced("Go", &log, time.Millisecond)}}
	}
	operations := func(beside time.Duration, hurry bool) int64 {
		cfg := measure.Config{Runs: 5, Budget: time.Hour, Total: 1000 * time.Second, Quick: hurry}
		res, err := measure.Run(t.Context(), []measure.Row{row(0), row(beside)}, cfg, nil)
		require.NoError(t, err)
		return res.Rows[1].Variants[0].Operations
	}
	// Of a thousand seconds eight runs need 800, and half of the rest is this row's own.
	n := operations(100*time.Second, false)
	assert.LessOrEqual(t, n, int64(180_000), "a fifth of 900 seconds")
	assert.Greater(t, n, int64(100_000), "a fifth of half of all")
	n = operations(1000*time.Second, true)
	assert.LessOrEqual(t, n, int64(180_000), "a tenth where it is to be quick")
	assert.Greater(t, n, int64(100_000))
}

func TestTimeLeftIsThatOfTheTotalUnlessTheRowsTakeLessOrMore(t *testing.T) {
	rows := []measure.Row{
		{Name: "x", Unit: "op/s", Variants: []measure.Variant{variant("Go", good)}},
		{Name: "y", Unit: "op/s", Variants: []measure.Variant{variant("Go", good)}},
	}
	left := func(cfg measure.Config) (told []time.Duration) {
		_, err := measure.Run(t.Context(), rows, cfg, func(p measure.Progress) { told = append(told, p.Left) })
		require.NoError(t, err)
		return told
	}
	cfg := measure.Config{Runs: 5, Budget: time.Second, Total: time.Hour}
	assert.Equal(t, []time.Duration{16 * time.Second, 8 * time.Second, 0}, left(cfg), "eight runs of a second each")
	cfg.Total = 10 * time.Second
	first := left(cfg)[0]
	assert.LessOrEqual(t, first, 10*time.Second)
	assert.Positive(t, first)
	cfg.Total = 1
	assert.Equal(t, []time.Duration{160 * time.Millisecond, 80 * time.Millisecond, 0}, left(cfg), "the shortest runs")
}

func TestRowsThatNeedTimeBesideAreMeasuredFirstAndStandInTheirPlace(t *testing.T) {
	var told []string
	row := func(name string, beside time.Duration) measure.Row {
		return measure.Row{Name: name, Unit: "op/s", Beside: beside, Variants: []measure.Variant{variant("Go", good)}}
	}
	rows := []measure.Row{row("a", 0), row("b", 1), row("c", 0), row("d", 2)}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := measure.Run(ctx, rows, quick, func(p measure.Progress) {
		if p.Row != nil {
			told = append(told, p.Row.Name)
		}
	})
	require.NoError(t, err)
	assert.Equal(t, "dbac", strings.Join(told, ""))
	res, err := measure.Run(ctx, rows, quick, func(p measure.Progress) {
		if p.Done == 3 {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	var names string
	for _, r := range res.Rows {
		names += r.Name
	}
	assert.Equal(t, "abd", names)
}

func TestRunThatWasCalibratedWhenItWasFastGetsShorter(t *testing.T) {
	var log []string
	const ms = time.Millisecond
	r := runRow(t, measure.Row{Name: "x", Unit: "op/s",
		Variants: []measure.Variant{paced("Go", &log, 1*ms, 20*ms)}}, quick)
	require.Empty(t, r.Failed)
	v := r.Variants[0]
	// 80 in the first round as calibrated, and in the second, which took twenty times as long.
	assert.Equal(t, int64(80+80+20), v.Verified)
	assert.Equal(t, int64(60), v.Operations)
	assert.Equal(t, []float64{1000, 50, 50}, v.Values)
}

func TestCalibrationIsNotEndedByOneRunThatTheMachineHeldUp(t *testing.T) {
	runs := 0
	r := runRow(t, measure.Row{Name: "x", Unit: "op/s", Variants: []measure.Variant{variant("Go", func(n int64) (measure.Sample, error) {
		s, err := good(n)
		if runs++; runs == 1 {
			s.Elapsed = time.Second
		}
		return s, err
	})}}, quick)
	require.Empty(t, r.Failed)
	assert.Equal(t, int64(80), r.Variants[0].Operations)
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
