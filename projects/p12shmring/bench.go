package p12shmring

import (
	"context"
	"fmt"
	"io"
	"time"

	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/transfer"
)

// Plan is what the benchmark program measures.
type Plan struct {
	Capacity, Size, Batch int
	Iterations            uint64
	InPlace               bool
	Self                  []string // how the command lines of this program's own ends begin
}

const (
	// The others are measured with a part of the messages: they are as steady, and take a
	// minute for ten million.
	othersPart = 10
	echoesMost = 200_000
)

// Report measures what the plan says and writes it as it comes.
func Report(ctx context.Context, w io.Writer, p *Plan) error {
	_, err := fmt.Fprintf(w, "Shared Memory Ring Buffer Benchmark\nBuffer: %s, Messages: %s\n\n"+
		"Producer: Writing %[3]s messages...\nConsumer: Reading %[3]s messages...\n\n",
		sizeWords(p.Capacity), cli.CountWords(p.Iterations), cli.ShortCount(p.Iterations))
	if err != nil {
		return err
	}
	j := job{size: p.Size, capacity: p.Capacity, batch: p.Batch, count: int64(p.Iterations), inPlace: p.InPlace}
	s, err := p.run(ctx, &j)
	if err != nil {
		return err
	}
	rate := float64(j.count) / s.Elapsed.Seconds()
	j = job{size: p.Size, capacity: p.Capacity, echo: true, count: min(max(j.count/othersPart, 1), echoesMost)}
	trips, err := p.run(ctx, &j)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "Results:\n  Throughput: %.1f million msg/sec\n  Bandwidth: %.1f GB/sec\n"+
		"  Latency (avg): %.2f µs\n  Latency (p99): %.2f µs\n  Zero-copy: Yes\n\n",
		rate/1e6, rate*float64(p.Size)/1e9, trips.Times.Mean()/2e3, float64(trips.Times.ValueAtQuantile(99))/2e3)
	if err != nil {
		return err
	}
	for _, other := range []struct{ channel, name string }{{"pipe", "pipe"}, {"unix_stream", "Unix socket"}} {
		theirs, err := throughput(ctx, other.channel, p.Size, max(int64(p.Iterations/othersPart), 1))
		if err != nil {
			return fmt.Errorf("%s: %w", other.name, err)
		}
		if _, err := fmt.Fprintf(w, "Comparison to %s: %s faster\n", other.name, timesWords(rate/theirs)); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plan) run(ctx context.Context, j *job) (measure.Sample, error) {
	limit := time.Minute + time.Duration(min(j.count, 1e9))*100*time.Microsecond
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no end within %v", limit))
	defer cancel()
	self := func(end string) []string { return append(append([]string(nil), p.Self...), end) }
	s, err := j.run(ctx, &measure.Config{}, ends{self("producer"), self("consumer")})
	if err == nil && (s.Verified != j.count || s.Elapsed <= 0) {
		err = fmt.Errorf("%d of %d messages arrived", s.Verified, j.count)
	}
	return s, err
}

// throughput is the messages a second that another mechanism carries, in this language.
func throughput(ctx context.Context, channel string, size int, n int64) (float64, error) {
	v, err := other(channel, "Go", size)
	if err != nil {
		return 0, err
	}
	limit := time.Minute + time.Duration(min(n, 1e9))*time.Millisecond
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no end within %v", limit))
	defer cancel()
	s, err := v.Run(ctx, &measure.Config{}, n)
	if err == nil && (s.Verified != n || s.Elapsed <= 0) {
		err = fmt.Errorf("%d of %d messages arrived", s.Verified, n)
	}
	return float64(n) / s.Elapsed.Seconds(), err
}

// other is a variant of package transfer's throughput row of a channel.
func other(channel, language string, size int) (*measure.Variant, error) {
	for _, row := range transfer.Rows(measure.Config{Sizes: []int{size}}) {
		if row.Name != "bw_"+channel || row.Size != size {
			continue
		}
		for i := range row.Variants {
			if row.Variants[i].Name == language {
				return &row.Variants[i], nil
			}
		}
	}
	return nil, fmt.Errorf("no row bw_%s in %s", channel, language)
}
