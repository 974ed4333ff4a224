// Package benchdiff tells which figures of two runs of the benchmark differ by more than
// chance, by the method of Go's benchstat: medians, the Mann-Whitney U test at an alpha of
// 0.05, and the geometric mean of all changes of a table.
//
// The samples are the rounds of a variant. Four rounds in each run are the fewest with
// which the test can find anything; confidence intervals of a median need six.
package benchdiff

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/report"
)

// Alpha is how probable a change is at most that is reported where there is none.
const Alpha = 0.05

// Diff is the second run against the first.
type Diff struct {
	Before string   `json:"before"`
	After  string   `json:"after"`
	Tables []*Table `json:"tables"`
	// Notes are what a reader is to know before he believes a figure.
	Notes []string `json:"notes"`
}

// Table are the figures of one group with one unit, in the order of the first run.
type Table struct {
	Group         string       `json:"group"`
	Unit          measure.Unit `json:"unit"`
	LowerIsBetter bool         `json:"lower_is_better"`
	Lines         []Line       `json:"lines"`
	// GeomeanBefore and GeomeanAfter are of the medians, GeomeanChange of the changes,
	// significant or not, as a part of 1.
	GeomeanBefore float64 `json:"geomean_before"`
	GeomeanAfter  float64 `json:"geomean_after"`
	GeomeanChange float64 `json:"geomean_change"`
}

// Line is one variant of one row.
type Line struct {
	Name    string  `json:"name"`
	Size    int     `json:"size_bytes,omitempty"`
	Workers int     `json:"workers,omitempty"`
	Variant string  `json:"variant"`
	Before  Summary `json:"before"`
	After   Summary `json:"after"`
	Change  float64 `json:"change"` // of the medians, as a part of 1
	P       float64 `json:"p"`      // probability of such figures where nothing has changed
	Verdict Verdict `json:"verdict"`
	// TooFew says that no difference would have been found, for want of rounds.
	TooFew bool `json:"too_few_rounds,omitempty"`

	test benchmath.Comparison
}

// Summary is of the rounds of one run.
type Summary struct {
	Median float64 `json:"median"`
	Spread string  `json:"spread"` // 95 % confidence interval, in percent; "∞" below six rounds
	Rounds int     `json:"rounds"`
}

// Verdict is what the test and the unit say together.
type Verdict string

const (
	Better Verdict = "better"
	Worse  Verdict = "worse"
	Same   Verdict = "~" // no significant change
)

// key names a variant of a row; a row's place in a run is incidental.
type key struct {
	group, name   string
	size, workers int
	variant       string
}

func (k key) String() string {
	return strings.TrimSpace(label(k.name, k.size, k.workers) + " " + k.variant)
}

// found is what one run has under a key.
type found struct {
	unit          measure.Unit
	lowerIsBetter bool
	values        []float64
}

// Options choose what is compared.
type Options struct {
	// Keep says of which rows; nil: of all.
	Keep func(r *measure.Result) bool
	// Ratios compares the ratios of ours to each peer instead of the figures: what the
	// machine did meanwhile is in both of the two and cancels out.
	Ratios bool
}

// Compare compares two runs, which are called before and after. It refuses runs in which
// one row has two units.
func Compare(before, after string, a, b *measure.Results, o Options) (*Diff, error) {
	d := &Diff{Before: before, After: after, Tables: []*Table{}, Notes: notes(a, b)}
	old, order, oldFailed := samples(a, o)
	current, newOrder, newFailed := samples(b, o)
	tables := map[string]*Table{}
	for _, k := range order {
		was, is := old[k], current[k]
		if is.values == nil {
			continue
		}
		if was.unit != is.unit {
			return nil, fmt.Errorf("%v is in %s in %s, and in %s in %s: they cannot be compared", k, was.unit, before, is.unit, after)
		}
		title := fmt.Sprint(k.group, was.unit, was.lowerIsBetter)
		t := tables[title]
		if t == nil {
			t = &Table{Group: k.group, Unit: was.unit, LowerIsBetter: was.lowerIsBetter}
			tables[title] = t
			d.Tables = append(d.Tables, t)
		}
		t.Lines = append(t.Lines, line(k, was, is))
	}
	for _, t := range d.Tables {
		t.geomeans()
	}
	d.note("only in "+before, missing(order, current))
	d.note("only in "+after, missing(newOrder, old))
	d.note("failed in "+before, oldFailed)
	d.note("failed in "+after, newFailed)
	d.warn()
	return d, nil
}

// samples are what a run has to compare, by key and in its order, and which rows failed.
func samples(r *measure.Results, o Options) (all map[key]found, order []key, failed []string) {
	all = map[key]found{}
	for i := range r.Rows {
		row := &r.Rows[i]
		if o.Keep != nil && !o.Keep(row) {
			continue
		}
		if row.Failed != "" {
			failed = append(failed, label(row.Name, row.Size, row.Workers))
		}
		for j := range row.Variants {
			v := &row.Variants[j]
			k, f := key{row.Group, row.Name, row.Size, row.Workers, v.Name}, found{row.Unit, row.LowerIsBetter, v.Values}
			if o.Ratios {
				if v.Ratio == nil {
					continue
				}
				k.variant = row.Variants[0].Name + " to " + v.Name
				f.unit, f.values = ratio, v.Ratio.Values
			}
			if len(f.values) > 0 {
				all[k] = f
				order = append(order, k)
			}
		}
	}
	return all, order, failed
}

// ratio is the unit of ratios of rates and of times.
const ratio measure.Unit = "ratio"

func missing(order []key, in map[key]found) []string {
	var names []string
	for _, k := range order {
		if _, there := in[k]; !there {
			names = append(names, k.String())
		}
	}
	return names
}

func line(k key, was, is found) Line {
	// NewSample sorts what it is given.
	a := benchmath.NewSample(slices.Clone(was.values), &benchmath.Thresholds{CompareAlpha: Alpha})
	b := benchmath.NewSample(slices.Clone(is.values), &benchmath.Thresholds{CompareAlpha: Alpha})
	l := Line{
		Name: k.name, Size: k.size, Workers: k.workers, Variant: k.variant,
		Before: summary(a), After: summary(b), test: benchmath.AssumeNothing.Compare(a, b), Verdict: Same,
	}
	l.P, l.Change = l.test.P, l.After.Median/l.Before.Median-1
	l.TooFew = len(l.test.Warnings) > 0
	if l.P <= Alpha && l.Change != 0 {
		l.Verdict = Worse
		if l.Change < 0 == was.lowerIsBetter {
			l.Verdict = Better
		}
	}
	return l
}

func summary(s *benchmath.Sample) Summary {
	sum := benchmath.AssumeNothing.Summary(s, 1-Alpha)
	return Summary{Median: sum.Center, Spread: sum.PctRangeString(), Rounds: len(s.Values)}
}

func (t *Table) geomeans() {
	var before, after float64 // sums of logarithms
	for _, l := range t.Lines {
		before += math.Log(l.Before.Median)
		after += math.Log(l.After.Median)
	}
	n := float64(len(t.Lines))
	t.GeomeanBefore, t.GeomeanAfter = math.Exp(before/n), math.Exp(after/n)
	t.GeomeanChange = math.Exp((after-before)/n) - 1
}

// Count is how many lines have a verdict.
func (d *Diff) Count(v Verdict) int {
	n := 0
	for _, t := range d.Tables {
		for _, l := range t.Lines {
			if l.Verdict == v {
				n++
			}
		}
	}
	return n
}

// label is a row's name with what it is varied by.
func label(name string, size, workers int) string {
	return strings.TrimSpace(name + " " + report.Varied(size, workers))
}
