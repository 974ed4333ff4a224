package measure

import (
	"context"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Progress is told before each row and after the last.
type Progress struct {
	Row         *Row // nil after the last
	Done, Total int  // rows
	Elapsed     time.Duration
	Left        time.Duration // estimated; 0 while there is nothing to go by
}

// Run measures the rows one after the other. progress may be nil. When ctx ends,
// the rows finished so far are returned with the cause of ctx.
func Run(ctx context.Context, rows []Row, cfg Config, progress func(Progress)) (*Results, error) {
	cfg = cfg.Defaults()
	start := time.Now()
	res := &Results{
		Machine: DescribeMachine(ctx), Started: start,
		Runs: cfg.Runs, BudgetNS: cfg.Budget.Nanoseconds(), Pin: cfg.Pin, RealTime: cfg.RealTime, Rows: []Result{},
	}
	tell := func(row *Row, done int) {
		p := Progress{Row: row, Done: done, Total: len(rows), Elapsed: time.Since(start)}
		if done > 0 {
			p.Left = p.Elapsed / time.Duration(done) * time.Duration(len(rows)-done)
		}
		if progress != nil {
			progress(p)
		}
	}
	for i := range rows {
		tell(&rows[i], i)
		r := runRow(ctx, &rows[i], &cfg)
		if ctx.Err() != nil {
			return res, context.Cause(ctx)
		}
		res.Rows = append(res.Rows, *r)
	}
	tell(nil, len(rows))
	res.Seconds = time.Since(start).Seconds()
	return res, nil
}

// lane is a variant on its way through the rounds.
type lane struct {
	*Variant
	row     *Row
	n       int64 // operations a run
	values  []float64
	ratios  []float64 // of ours to it
	total   Sample
	skipped string
}

func runRow(ctx context.Context, row *Row, cfg *Config) *Result {
	lanes := make([]*lane, len(row.Variants))
	for i := range lanes {
		l := &lane{Variant: &row.Variants[i], row: row}
		lanes[i] = l
		err := l.calibrate(ctx, cfg)
		if reason, ok := Skipped(err); ok {
			l.skipped = reason
		} else if err != nil {
			return failed(row, l, err)
		}
		if lanes[0].skipped != "" {
			return summarize(row, lanes[:1])
		}
	}
	for round := range cfg.Runs {
		for i := range lanes {
			l := lanes[(round+i)%len(lanes)]
			if l.skipped != "" {
				continue
			}
			s, err := l.run(ctx, cfg)
			if err != nil {
				return failed(row, l, err)
			}
			l.add(s)
		}
		for _, l := range lanes[1:] {
			if l.skipped == "" {
				l.ratios = append(l.ratios, lanes[0].values[round]/l.values[round])
			}
		}
	}
	return summarize(row, lanes)
}

// calibrate finds the number of operations that fill the budget.
func (l *lane) calibrate(ctx context.Context, cfg *Config) error {
	for l.n = 1; ; {
		s, err := l.run(ctx, cfg)
		if err != nil {
			return err
		}
		fill := float64(cfg.Budget) / float64(s.Elapsed)
		// A first, short run is mostly start; do not trust it far.
		n := max(1, int64(float64(l.n)*min(fill, 100)))
		near := fill < 3
		l.n = n
		if near {
			return nil
		}
	}
}

// run is one run, whose figures count only if all operations were verified.
func (l *lane) run(ctx context.Context, cfg *Config) (Sample, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.Timeout, fmt.Errorf("no end within %v", cfg.Timeout))
	defer cancel()
	s, err := l.Variant.Run(ctx, cfg, l.n)
	switch {
	case err != nil:
		return s, err
	case s.Verified != l.n:
		return s, fmt.Errorf("%d of %d operations were verified", s.Verified, l.n)
	case s.Elapsed <= 0:
		return s, fmt.Errorf("%d operations in %v", l.n, s.Elapsed)
	case s.Times != nil && s.Times.TotalCount() != l.n:
		return s, fmt.Errorf("%d of %d operations were timed", s.Times.TotalCount(), l.n)
	}
	return s, nil
}

func (l *lane) add(s Sample) {
	v := float64(l.n) / s.Elapsed.Seconds()
	switch {
	case l.row.Unit == Bytes:
		v *= float64(l.row.Size)
	case l.row.Unit == Nanoseconds && s.Times != nil:
		v = trimmedMean(s.Times, 0.95)
	case l.row.Unit == Nanoseconds:
		v = 1e9 / v
	}
	l.values = append(l.values, v)
	l.total.Verified += s.Verified
	if s.Times == nil {
		return
	}
	if l.total.Times == nil {
		l.total.Times = hdrhistogram.Import(s.Times.Export())
	} else {
		l.total.Times.Merge(s.Times)
	}
}

// trimmedMean is the mean of the fastest part of the values.
func trimmedMean(h *hdrhistogram.Histogram, part float64) float64 {
	left := part * float64(h.TotalCount())
	total := left
	sum := 0.0
	for _, b := range h.Distribution() {
		n := min(float64(b.Count), left)
		sum += n * float64(b.From+b.To) / 2
		left -= n
	}
	return sum / total
}
