package p06mqbench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/transfer"
)

// Plan is what to measure.
type Plan struct {
	Sizes      []int // bytes in a message
	Iterations int   // messages in a run
	// Volume bounds the bytes of a run, which then has fewer iterations, but some.
	// 0: no bound.
	Volume int
	Runs   int
	Pin    []int
	Bin    string // folder of ref/transfer, the C twin
}

// minIterations are made whatever Plan.Volume says.
const minIterations = 100

func (p *Plan) iterations(size int) int {
	if p.Volume == 0 {
		return p.Iterations
	}
	return min(p.Iterations, max(p.Volume/size, minIterations))
}

// Figures are what was measured in one language.
type Figures struct {
	MessagesPerSecond float64 // median of the runs
	BytesPerSecond    float64
	AvgNS, P99NS      float64 // half of a round trip, over all runs
}

// Line is what was found of one mechanism at one size.
type Line struct {
	Mechanism        *Mechanism
	Size, Iterations int
	Go, C            *Figures // nil where it could not be measured
	// Go's figure to C's in the same run, median; 0 where there is no C.
	RateRatio, TimeRatio float64
	Skipped, SkippedC    string // why it could not be measured
	Failed               string
}

// Run measures all mechanisms at all sizes, size by size. tell is called before each
// line and once after the last; it may be nil. When ctx ends, its cause is returned.
func Run(ctx context.Context, plan *Plan, tell func(measure.Progress)) ([]Line, error) {
	var lines []Line
	start := time.Now()
	total := len(plan.Sizes) * len(Mechanisms)
	told := func(row *measure.Row) {
		if tell != nil {
			tell(measure.Progress{Row: row, Done: len(lines), Total: total, Elapsed: time.Since(start)})
		}
	}
	for _, size := range plan.Sizes {
		for i := range Mechanisms {
			l := Line{Mechanism: &Mechanisms[i], Size: size, Iterations: plan.iterations(size)}
			told(&measure.Row{Name: l.Mechanism.Name, Size: size})
			l.measure(ctx, plan)
			if ctx.Err() != nil {
				return lines, context.Cause(ctx)
			}
			lines = append(lines, l)
		}
	}
	told(nil)
	return lines, nil
}

// lane is one language on its way through the runs.
type lane struct {
	name         string
	send, back   func(context.Context, *measure.Config, int64) (measure.Sample, error)
	rates, means []float64
	times        *hdrhistogram.Histogram
}

func (l *Line) measure(ctx context.Context, plan *Plan) {
	cfg := measure.Config{Sizes: []int{l.Size}, Pin: plan.Pin, Bin: plan.Bin}
	lanes := l.lanes(cfg)
	for run := range plan.Runs {
		for i := range lanes {
			lane := lanes[(run+i)%len(lanes)]
			if lane == nil {
				continue
			}
			err := lane.run(ctx, &cfg, int64(l.Iterations))
			reason, skip := measure.Skipped(err)
			switch {
			case skip && lane.name == "C":
				l.SkippedC = reason
				lanes[(run+i)%len(lanes)] = nil
			case skip:
				l.Skipped = reason
				return
			case err != nil:
				l.Failed = lane.name + ": " + strings.ReplaceAll(err.Error(), "\n", "; ")
				return
			}
		}
	}
	l.Go = lanes[0].figures(l.Size)
	if lanes[1] != nil {
		l.C = lanes[1].figures(l.Size)
		l.RateRatio = ratio(lanes[0].rates, lanes[1].rates)
		l.TimeRatio = ratio(lanes[0].means, lanes[1].means)
	}
}

// lanes are Go and C.
func (l *Line) lanes(cfg measure.Config) []*lane {
	lanes := []*lane{{name: "Go"}, {name: "C"}}
	for _, row := range transfer.Rows(cfg) {
		for _, v := range row.Variants {
			for _, lane := range lanes {
				switch {
				case v.Name != lane.name:
				case row.Name == "bw_"+l.Mechanism.channel:
					lane.send = v.Run
				case row.Name == "lat_"+l.Mechanism.channel:
					lane.back = v.Run
				}
			}
		}
	}
	return lanes
}

// patience is how long a run may take for each message, and besides.
const patience = time.Millisecond

func (l *lane) run(ctx context.Context, cfg *measure.Config, n int64) error {
	limit := time.Minute + time.Duration(n)*patience
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no end within %v", limit))
	defer cancel()
	sent, err := l.send(ctx, cfg, n)
	if err != nil {
		return err
	}
	trips := roundTrips(n)
	returned, err := l.back(ctx, cfg, trips)
	if err != nil {
		return err
	}
	if sent.Verified != n || returned.Verified != trips || returned.Times == nil {
		return errors.New("not all messages were verified")
	}
	l.rates = append(l.rates, float64(n)/sent.Elapsed.Seconds())
	l.means = append(l.means, returned.Times.Mean())
	if l.times == nil {
		l.times = hdrhistogram.Import(returned.Times.Export())
	} else {
		l.times.Merge(returned.Times)
	}
	return nil
}

// roundTrips are a tenth as many as messages one way, but some: each is as long as ten
// of those or more.
func roundTrips(n int64) int64 { return max(n/10, min(n, 1000)) }

func (l *lane) figures(size int) *Figures {
	rate := median(l.rates)
	return &Figures{
		MessagesPerSecond: rate, BytesPerSecond: rate * float64(size),
		AvgNS: l.times.Mean() / 2, P99NS: float64(l.times.ValueAtQuantile(99)) / 2,
	}
}

func ratio(ours, peers []float64) float64 {
	var r []float64
	for i := range ours {
		r = append(r, ours[i]/peers[i])
	}
	return median(r)
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}
