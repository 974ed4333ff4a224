package measure

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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

// Run measures the rows one after the other, those first that need time beside what they
// measure, so that the others can share what is left. progress may be nil. When ctx ends,
// the rows finished so far are returned with the cause of ctx. Results are in the order of
// rows.
func Run(ctx context.Context, rows []Row, cfg Config, progress func(Progress)) (*Results, error) {
	cfg = cfg.Defaults()
	if cfg.Quick {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.Detail })
	}
	start := time.Now()
	res := &Results{
		Format: Format, Version: Version,
		Machine: DescribeMachine(ctx), Started: start, Quick: cfg.Quick,
		Runs: cfg.Runs, BudgetNS: cfg.Budget.Nanoseconds(), TotalNS: cfg.Total.Nanoseconds(),
		Pin: cfg.Pin, RealTime: cfg.RealTime, Rows: []Result{},
	}
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(rows[j].Beside, rows[i].Beside) })
	found := make([]*Result, len(rows))
	collect := func() *Results {
		for _, r := range found {
			if r != nil {
				res.Rows = append(res.Rows, *r)
			}
		}
		return res
	}
	done, variants, aside := 0, 0, time.Duration(0)
	for i := range rows {
		variants += len(rows[i].Variants)
		aside += rows[i].aside(&cfg)
	}
	tell := func(row *Row, rowsDone int) {
		p := Progress{Row: row, Done: rowsDone, Total: len(rows), Elapsed: time.Since(start)}
		switch left := time.Duration(variants - done); {
		case cfg.Total > 0:
			p.Left = cfg.left(p.Elapsed, aside, left)
		case done > 0:
			p.Left = p.Elapsed / time.Duration(done) * left
		}
		if progress != nil {
			progress(p)
		}
	}
	for rowsDone, i := range order {
		tell(&rows[i], rowsDone)
		share := time.Duration(0)
		if cfg.Total > 0 {
			own := rows[i].aside(&cfg) / time.Duration(len(rows[i].Variants))
			share = max(1, own+(cfg.Total-time.Since(start)-aside)/time.Duration(variants-done))
		}
		aside -= rows[i].aside(&cfg)
		begin := time.Now()
		r := runRow(ctx, &rows[i], &cfg, share)
		last := ctx.Err() != nil || rowsDone+1 == len(order) || rows[order[rowsDone+1]].Kept != rows[i].Kept
		if kept := rows[i].Kept; kept != nil && last {
			if err := kept.Close(); err != nil && r.Failed == "" {
				r = failed(&rows[i], err)
			}
		}
		r.Seconds = time.Since(begin).Seconds()
		if ctx.Err() != nil {
			return collect(), context.Cause(ctx)
		}
		found[i] = r
		done += len(rows[i].Variants)
	}
	tell(nil, len(rows))
	res.Seconds = time.Since(start).Seconds()
	return collect(), nil
}

// aside is what all runs of a row take beside what they measure, those included that find
// the count.
func (r *Row) aside(cfg *Config) time.Duration {
	d := r.Beside * time.Duration(len(r.Variants)*(cfg.Runs+3))
	if cfg.Quick {
		d /= 10
	}
	return d
}

// left is how long the other variants will take within a total: what is left of it, unless
// they cannot use it up, or need more even with the shortest runs.
func (cfg *Config) left(elapsed, aside, variants time.Duration) time.Duration {
	runs := variants * time.Duration(cfg.Runs+3)
	return max(min(cfg.Total-elapsed, runs*cfg.Budget+aside), runs*2*leastBudget)
}

// lane is a variant on its way through the rounds.
type lane struct {
	*Variant
	row     *Row
	budget  time.Duration // of a run
	n       int64         // operations a run
	values  []float64
	ratios  []float64 // of ours to it
	total   Sample
	skipped string
}

// runRow measures one row; share is the time that each variant may take, 0 if there is
// no bound.
func runRow(ctx context.Context, row *Row, cfg *Config, share time.Duration) *Result {
	lanes := make([]*lane, len(row.Variants))
	end := time.Now().Add(share * time.Duration(len(lanes)))
	for i := range lanes {
		l := &lane{Variant: &row.Variants[i], row: row, budget: cfg.Budget}
		lanes[i] = l
		err := l.calibrate(ctx, cfg, share)
		if reason, ok := Skipped(err); ok {
			l.skipped = reason
		} else if err != nil {
			return failed(row, fmt.Errorf("%s: %w", l.Name, err))
		}
		if lanes[0].skipped != "" {
			return summarize(row, lanes[:1])
		}
	}
	for round := range cfg.Runs {
		if share > 0 && round >= leastRounds && time.Now().After(end) {
			break
		}
		for i := range lanes {
			l := lanes[(round+i)%len(lanes)]
			if l.skipped != "" {
				continue
			}
			s, err := l.run(ctx, cfg)
			if err != nil {
				return failed(row, fmt.Errorf("%s: %w", l.Name, err))
			}
			l.add(s)
			l.adapt(s)
		}
		for _, l := range lanes[1:] {
			if l.skipped == "" {
				l.ratios = append(l.ratios, lanes[0].values[round]/l.values[round])
			}
		}
	}
	return summarize(row, lanes)
}

// leastBudget is how short the runs of a row become at most for want of time: in less,
// the clock and the begin of the work would be measured.
const leastBudget = 5 * time.Millisecond

// leastRounds is how few there are at most for want of time.
const leastRounds = 3

// calibrate finds the number of operations that fill a run. Within a share a run is what
// is left of it for each, less what starts and ends the processes.
func (l *lane) calibrate(ctx context.Context, cfg *Config, share time.Duration) error {
	begin := time.Now()
	probe := func() (fill float64, err error) {
		before := time.Now()
		s, err := l.run(ctx, cfg)
		if err != nil {
			return 0, err
		}
		if share > 0 {
			beside := max(0, time.Since(before)-s.Elapsed)
			left := (share-time.Since(begin))/time.Duration(cfg.Runs) - beside
			l.budget = min(max(left, leastBudget, l.row.Least), cfg.Budget)
		}
		return float64(l.budget) / float64(s.Elapsed), nil
	}
	for l.n = 1; ; {
		fill, err := probe()
		if inTime := share == 0 || time.Since(begin) < share/3; err == nil && fill < 3 && inTime { // unless the machine did something else meanwhile
			var again float64
			again, err = probe()
			fill = max(fill, again)
		}
		if err != nil {
			return err
		}
		// A first, short run is mostly start; do not trust it far. Nor a later one:
		// a lock is fast as long as the others have not come to it.
		l.n = max(1, int64(float64(l.n)*min(fill, growth(l.n))))
		if fill < 3 {
			return nil
		}
	}
}

// adapt mends a count that was found when the operations happened to be fast, or when the
// machine did something else: a run that is too short measures how work begins.
func (l *lane) adapt(s Sample) {
	switch fill := float64(l.budget) / float64(s.Elapsed); {
	case fill < 0.1:
		l.n = max(1, l.n/4)
	case fill > 3:
		l.n = int64(float64(l.n) * min(fill, growth(l.n)))
	}
}

// growth bounds how much longer a run is than the one before, which had n operations.
func growth(n int64) float64 {
	if n < 1000 {
		return 100
	}
	return 25
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
