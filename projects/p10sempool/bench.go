package p10sempool

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/measure"
)

// rows are connections taken and given back, by programs of one language.
func rows(measure.Config) []measure.Row {
	var rows []measure.Row
	for _, c := range []struct {
		name                 string
		workers, connections int
		what                 string
	}{
		{"pool_uncontended", 1, 5, "one worker takes one of five connections and gives it back, nobody waits"},
		{"pool_contended", 4, 2, "four workers take one of two connections each and give it back"},
	} {
		rows = append(rows, measure.Row{
			Group: "exercise 10", Name: c.name, What: c.what,
			Check: "what was lent, what was released and the uses of each connection are counted apart, and are equal",
			Unit:  "connections/s",
			Variants: []measure.Variant{
				variant("Go", "p10", c.workers, c.connections), variant("C", "p10/ref", c.workers, c.connections),
			},
		})
	}
	return rows
}

// shares are the n connections as the workers take them; each takes one at least.
func shares(n int64, workers int) []int64 {
	counts := make([]int64, min(n, int64(workers)))
	for i := range counts {
		counts[i] = (n + int64(i)) / int64(len(counts))
	}
	return counts
}

// benchCount makes names of pools differ.
var benchCount atomic.Int64

func variant(name, folder string, workers, connections int) measure.Variant {
	return measure.Variant{Name: name,
		Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
			b := bench{cfg: cfg, bin: filepath.Join(cfg.Bin, folder), connections: connections,
				name: fmt.Sprintf("/unpipc-%d-bench-%d", unix.Getpid(), benchCount.Add(1))}
			return b.run(ctx, shares(n, workers))
		}}
}

type bench struct {
	cfg         *measure.Config
	bin, name   string
	connections int
}

// run has each worker take a connection as often as it is to.
func (b *bench) run(ctx context.Context, counts []int64) (sample measure.Sample, err error) {
	manager, err := measure.Start(ctx, b.cfg, 0, measure.Command{Args: []string{filepath.Join(b.bin, "pool_manager"),
		"--name", b.name, "--max-connections", strconv.Itoa(b.connections)}})
	if err != nil {
		return sample, err
	}
	defer func() {
		_ = manager.Signal(unix.SIGTERM)
		if _, stopErr := manager.Wait(); err == nil {
			err = stopErr
		}
	}()
	for !strings.Contains(manager.Output(), "Pool manager started") {
		select {
		case <-ctx.Done():
			return sample, context.Cause(ctx)
		case <-time.After(100 * time.Microsecond):
		}
	}
	p, err := attach(b.name)
	if err != nil {
		return sample, err
	}
	defer p.unmap()
	timeout := strconv.FormatFloat(b.cfg.Timeout.Seconds(), 'f', -1, 64)
	cmds := make([]measure.Command, len(counts))
	for i, count := range counts {
		cmds[i].Args = []string{filepath.Join(b.bin, "worker"), "--name", b.name, "--timeout", timeout,
			"--hold", "0", "--count", strconv.FormatInt(count, 10), strconv.Itoa(i + 1)}
	}
	out, err := measure.Together(ctx, b.cfg, cmds...)
	if err != nil {
		return sample, err
	}
	for i, text := range out {
		elapsed, err := took(text, counts[i])
		if err != nil {
			return sample, err
		}
		sample.Elapsed = max(sample.Elapsed, elapsed)
		sample.Verified += counts[i]
	}
	return sample, p.verify(uint64(sample.Verified))
}

// took is the time that a worker says it took, without its start.
func took(text string, count int64) (time.Duration, error) {
	if count == 1 {
		return time.Millisecond, nil // it says none; such a run only warms up
	}
	// From the rate: the seconds beside it have three decimals.
	_, line, _ := strings.Cut(text, fmt.Sprintf(" %d connections in ", count))
	_, line, _ = strings.Cut(line, " s, ")
	line, _, _ = strings.Cut(line, " per second")
	rate, err := strconv.ParseFloat(line, 64)
	if err != nil || rate < 1 {
		return 0, fmt.Errorf("a worker printed %q", text)
	}
	return max(time.Duration(float64(count)/rate*1e9), time.Microsecond), nil
}

// verify compares three counts that are made in three ways.
func (p *pool) verify(want uint64) error {
	uses := uint64(0)
	for k := range p.slot[:p.slots] {
		uses += p.slot[k].uses
	}
	if p.counters.Lent != want || p.counters.Released != want || uses != want {
		return fmt.Errorf("%d connections taken: %d lent, %d released, %d used", want, p.counters.Lent, p.counters.Released, uses)
	}
	return nil
}
