package measure_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/measure"
)

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
