package p15spsc

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/measure"
)

// Plan is what the benchmark program measures.
type Plan struct {
	Iterations uint64
	Capacity   int
	Kind       Kind // of the lock-free queue
	Threads    bool // within one process instead of between two
	Variants   bool // every kind
	// Self is how the command line of this program's own ends begins; the ends' names,
	// producer and consumer, follow.
	Self []string
}

const (
	// Queues with locks are measured with a part of the iterations: they are as steady,
	// and take tens of seconds for 100 million.
	lockedPart = 10
	// One write in so many ns is timed: the consumer keeps up with every kind, so that the
	// queue has room.
	timedEvery = 1000
	timedMost  = 500_000
)

// Figures are what was found of one kind.
type Figures struct {
	Kind      Kind
	Rate      float64 // operations, each a write and its read, a second
	P99, Mean float64 // ns of a write into a queue with room
}

// Measure measures one kind: its rate, then the time of a write.
func (p *Plan) Measure(ctx context.Context, kind Kind) (Figures, error) {
	f := Figures{Kind: kind}
	n := p.Iterations
	if kind >= Mutex {
		n = max(n/lockedPart, 1)
	}
	s, err := p.run(ctx, &job{kind, p.Capacity, n, 0})
	if err != nil {
		return f, fmt.Errorf("%v: %w", kind, err)
	}
	f.Rate = float64(n) / s.Elapsed.Seconds()
	n = min(max(p.Iterations/lockedPart, 100), timedMost)
	s, err = p.run(ctx, &job{kind, p.Capacity, n, timedEvery})
	if err != nil {
		return f, fmt.Errorf("%v: %w", kind, err)
	}
	f.P99, f.Mean = float64(s.Times.ValueAtQuantile(99)), s.Times.Mean()
	return f, nil
}

func (p *Plan) run(ctx context.Context, j *job) (measure.Sample, error) {
	// 100 ns an item would be normal for the slowest.
	limit := time.Minute + time.Duration(min(j.items, 1e9))*10*time.Microsecond
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no end within %v", limit))
	defer cancel()
	var s measure.Sample
	var err error
	if p.Threads {
		s, err = j.within(ctx)
	} else {
		self := func(end string) []string { return append(append([]string(nil), p.Self...), end) }
		s, err = j.between(ctx, &measure.Config{}, ends{self("producer"), self("consumer")})
	}
	if err == nil && s.Verified != int64(j.items) {
		err = fmt.Errorf("%d of %d items arrived", s.Verified, j.items)
	}
	return s, err
}

// Report measures what the plan says and writes it as it comes.
func Report(ctx context.Context, w io.Writer, p *Plan) error {
	fmt.Fprintf(w, "Lock-Free SPSC Queue Benchmark\nOperations: %s\n\n", cli.CountWords(p.Iterations))
	lines := []struct {
		name string
		kind Kind
	}{{"Lock-free queue", p.Kind}, {"Mutex-based queue", Mutex}, {"Semaphore-based", Sem}}
	var figures []Figures
	for _, l := range lines {
		f, err := p.Measure(ctx, l.kind)
		if err != nil {
			return err
		}
		figures = append(figures, f)
		if _, err := fmt.Fprintf(w, "%s: %s ops/sec\n", l.name, rateWords(f.Rate)); err != nil {
			return err
		}
	}
	free, mutex := figures[0], figures[1]
	_, err := fmt.Fprintf(w, "\nSpeedup: %.1fx over mutex\nLatency (p99): %.0fns vs %.0fns\n", free.Rate/mutex.Rate, free.P99, mutex.P99)
	if err != nil || !p.Variants {
		return err
	}
	fmt.Fprintf(w, "\n%-10s %10s %9s %10s %10s\n%s\n", "Variant", "Operations", "Step", "Mean", "p99", strings.Repeat("-", 53))
	last := 0.0
	for k := Naive; k < Mutex; k++ {
		f, err := p.Measure(ctx, k)
		if err != nil {
			return err
		}
		step := "-"
		if last > 0 {
			step = fmt.Sprintf("%.2fx", f.Rate/last)
		}
		last = f.Rate
		if _, err := fmt.Fprintf(w, "%-10s %8s/s %9s %8.0fns %8.0fns\n", k, rateWords(f.Rate), step, f.Mean, f.P99); err != nil {
			return err
		}
	}
	return nil
}
