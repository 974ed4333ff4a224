package measure

import (
	"slices"
	"strings"
	"time"
)

// Results are what a whole run of the benchmark found. The JSON names are part of
// the interface; figures are in the row's unit, times in nanoseconds, sizes in
// bytes, none of them rounded or scaled. [Load] reads them back.
type Results struct {
	Format   string    `json:"format"`  // [Format]
	Version  int       `json:"version"` // [Version]
	Machine  Machine   `json:"machine"`
	Started  time.Time `json:"started"`
	Seconds  float64   `json:"seconds"`
	Quick    bool      `json:"quick,omitempty"` // smaller workloads, see [Config]
	Runs     int       `json:"runs"`
	BudgetNS int64     `json:"budget_ns"`          // of a run at most
	TotalNS  int64     `json:"total_ns,omitempty"` // that all rows were to share
	Pin      []int     `json:"pin,omitempty"`
	RealTime bool      `json:"real_time"`
	Rows     []Result  `json:"rows"`
}

// Result is what was found for one row. Of Failed, Skipped and Variants exactly
// one is there.
type Result struct {
	Group         string          `json:"group"`
	Name          string          `json:"name"`
	What          string          `json:"what"`
	Check         string          `json:"check"`
	Size          int             `json:"size_bytes,omitempty"`
	Workers       int             `json:"workers,omitempty"`
	Unit          Unit            `json:"unit"`
	LowerIsBetter bool            `json:"lower_is_better"`
	Failed        string          `json:"failed,omitempty"`
	Skipped       string          `json:"skipped,omitempty"`
	Seconds       float64         `json:"seconds,omitempty"` // that all its runs took, with what is beside them
	Variants      []VariantResult `json:"variants,omitempty"`
}

// VariantResult is what was found for one variant; the first one is ours.
type VariantResult struct {
	Name           string    `json:"name"`
	Skipped        string    `json:"skipped,omitempty"` // then nothing else is there
	Values         []float64 `json:"values,omitempty"`  // by round
	Median         float64   `json:"median,omitempty"`
	Min            float64   `json:"min,omitempty"`
	Max            float64   `json:"max,omitempty"`
	BytesPerSecond float64   `json:"bytes_per_second,omitempty"` // of a rate with a size, from the median
	Operations     int64     `json:"operations,omitempty"`       // in one run, on the average
	Verified       int64     `json:"verified,omitempty"`         // in all runs
	Times          *Times    `json:"times,omitempty"`
	Ratio          *Ratio    `json:"ratio,omitempty"` // of ours to this peer
}

// Times is the distribution of the time of one operation over all runs, in ns.
type Times struct {
	Avg  float64 `json:"avg_ns"`
	P50  int64   `json:"p50_ns"`
	P99  int64   `json:"p99_ns"`
	P999 int64   `json:"p999_ns"`
	Max  int64   `json:"max_ns"`
	// Quantiles are the curve of the distribution, from the least to the greatest.
	Quantiles []Quantile `json:"quantiles,omitempty"`
}

// Quantile is one point of a distribution: the part Q of all operations took NS or less.
type Quantile struct {
	Q  float64 `json:"q"` // 0 is the least, 1 the greatest
	NS int64   `json:"ns"`
}

// Ratio is our value divided by the peer's, taken in each round.
type Ratio struct {
	Values []float64 `json:"values"` // by round
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
	Goal   float64   `json:"goal,omitempty"` // least for a rate, greatest for a time
	Met    *bool     `json:"met,omitempty"`  // the median reaches the goal
}

// Failures are the rows whose check failed.
func (r *Results) Failures() []Result {
	return slices.DeleteFunc(slices.Clone(r.Rows), func(r Result) bool { return r.Failed == "" })
}

func outline(row *Row) *Result {
	return &Result{
		Group: row.Group, Name: row.Name, What: row.What, Check: row.Check,
		Size: row.Size, Workers: row.Workers, Unit: row.Unit, LowerIsBetter: row.Unit.LowerIsBetter(),
	}
}

func failed(row *Row, err error) *Result {
	r := outline(row)
	r.Failed = strings.ReplaceAll(err.Error(), "\n", "; ")
	return r
}

func summarize(row *Row, lanes []*lane) *Result {
	r := outline(row)
	if s := lanes[0].skipped; s != "" {
		r.Skipped = lanes[0].Name + ": " + s
		return r
	}
	for i, l := range lanes {
		v := VariantResult{Name: l.Name, Skipped: l.skipped}
		if l.skipped == "" {
			v.Values, v.Verified = l.values, l.total.Verified
			v.Operations = v.Verified / int64(len(l.values))
			v.Median, v.Min, v.Max = spread(l.values)
			switch {
			case row.Unit == Bytes:
				v.BytesPerSecond = v.Median
			case !r.LowerIsBetter:
				v.BytesPerSecond = v.Median * float64(row.Size)
			}
			v.Times = times(l)
			if i > 0 {
				v.Ratio = ratio(l, r.LowerIsBetter)
			}
		}
		r.Variants = append(r.Variants, v)
	}
	return r
}

func ratio(l *lane, lowerIsBetter bool) *Ratio {
	r := &Ratio{Values: l.ratios, Goal: l.goal(l.row)}
	r.Median, r.Min, r.Max = spread(l.ratios)
	if r.Goal != 0 {
		met := r.Median >= r.Goal
		if lowerIsBetter {
			met = r.Median <= r.Goal
		}
		r.Met = &met
	}
	return r
}

func times(l *lane) *Times {
	h := l.total.Times
	if h == nil {
		return nil
	}
	return &Times{
		Avg: h.Mean(), P50: h.ValueAtQuantile(50), P99: h.ValueAtQuantile(99),
		P999: h.ValueAtQuantile(99.9), Max: h.Max(), Quantiles: quantiles(h),
	}
}

// spread is the median, the least and the greatest; of an even number of values
// the median is the mean of the two in the middle.
func spread(values []float64) (median, least, greatest float64) {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2, s[0], s[n-1]
}
