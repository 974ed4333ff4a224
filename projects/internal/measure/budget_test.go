package measure_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
)

func TestRunsAreCalibratedToTheBudget(t *testing.T) {
	for _, each := range []time.Duration{100, 12_345, time.Millisecond, time.Hour} {
		var log []string
		r := runRow(t, measure.Row{Name: "x", Unit: "op/s", Variants: []measure.Variant{paced("Go", &log, each)}}, quick)
		require.Empty(t, r.Failed)
		want := max(1, float64(quick.Budget/each))
		assert.InEpsilon(t, want, r.Variants[0].Operations, 0.05, "%v each", each)
	}
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

func TestRunThatWasCalibratedWhenItWasSlowGetsLonger(t *testing.T) {
	const ms = time.Millisecond
	slow := 3 // runs, in which the machine does something else: both of the calibration, and a round
	var counts []int64
	r := runRow(t, measure.Row{Name: "x", Unit: "op/s", Variants: []measure.Variant{variant("Go", func(n int64) (measure.Sample, error) {
		s, err := good(n)
		s.Elapsed = time.Duration(n) * ms
		if slow--; slow >= 0 {
			s.Elapsed += 30 * time.Second
		}
		counts = append(counts, n)
		return s, err
	})}}, quick)
	require.Empty(t, r.Failed)
	rounds := counts[len(counts)-len(r.Variants[0].Values):]
	assert.Equal(t, []int64{1, 1, 80}, rounds, "the machine has time again in the second")
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

func TestARowThatUsesUpItsShareHasThreeRounds(t *testing.T) {
	runs := 0
	rows := []measure.Row{{Name: "x", Unit: "op/s", Variants: []measure.Variant{variant("Go", func(n int64) (measure.Sample, error) {
		runs++
		time.Sleep(time.Millisecond)
		return measure.Sample{Elapsed: time.Hour, Verified: n}, nil
	})}}}
	res, err := measure.Run(t.Context(), rows, measure.Config{Runs: 5, Total: time.Microsecond}, nil)
	require.NoError(t, err)
	assert.Len(t, res.Rows[0].Variants[0].Values, 3)
	assert.Equal(t, 1+3, runs, "nor is a run that is too long in any case looked at twice")
	assert.GreaterOrEqual(t, res.Rows[0].Seconds, 0.004)
}

func TestRunsOfARowMayHaveALeastTime(t *testing.T) {
	var log []string
	rows := []measure.Row{{Name: "x", Unit: "op/s", Least: 60 * time.Millisecond,
		Variants: []measure.Variant{paced("Go", &log, time.Millisecond)}}}
	operations := func(budget time.Duration) int64 {
		res, err := measure.Run(t.Context(), rows, measure.Config{Runs: 5, Total: 1, Budget: budget}, nil)
		require.NoError(t, err)
		return res.Rows[0].Variants[0].Operations
	}
	assert.Equal(t, int64(60), operations(time.Second))
	assert.Equal(t, int64(20), operations(20*time.Millisecond), "not more than the budget")
}

// kept tells when it is closed.
type kept struct {
	name string
	log  *[]string
	err  error
}

func (k *kept) Close() error {
	*k.log = append(*k.log, "close "+k.name)
	return k.err
}

func TestWhatRowsKeepIsClosedAfterTheLastOfThem(t *testing.T) {
	var log []string
	a, b := &kept{"a", &log, nil}, &kept{"b", &log, errors.New("ended badly")}
	row := func(name string, k io.Closer) measure.Row {
		return measure.Row{Name: name, Unit: "op/s", Kept: k, Variants: []measure.Variant{variant("Go", good)}}
	}
	rows := []measure.Row{row("1", a), row("2", a), row("3", nil), row("4", b)}
	tell := func(p measure.Progress) {
		if p.Row != nil {
			log = append(log, p.Row.Name)
		}
	}
	res, err := measure.Run(t.Context(), rows, quick, tell)
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "2", "close a", "3", "4", "close b"}, log)
	assert.Empty(t, res.Rows[1].Failed)
	assert.Equal(t, "ended badly", res.Rows[3].Failed)
	assert.Equal(t, "4", res.Rows[3].Name)

	log = nil
	ctx, cancel := context.WithCancel(t.Context())
	rows[0].Variants = []measure.Variant{variant("Go", func(n int64) (measure.Sample, error) { cancel(); return good(n) })}
	_, err = measure.Run(ctx, rows, quick, tell)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []string{"1", "close a"}, log, "also when it is interrupted")
}
