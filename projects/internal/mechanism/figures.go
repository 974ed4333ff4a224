package mechanism

import (
	"math"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/report"
)

// Figures looks up what a run measured. A nil one has measured nothing.
type Figures struct {
	rows map[string][]*measure.Result // by name; only those that have figures
	all  *measure.Results
}

// FiguresOf are the figures of results. Rows that failed have none.
func FiguresOf(res *measure.Results) *Figures {
	f := &Figures{rows: map[string][]*measure.Result{}, all: res}
	for i := range res.Rows {
		if r := &res.Rows[i]; len(r.Variants) > 0 {
			f.rows[r.Name] = append(f.rows[r.Name], r)
		}
	}
	return f
}

// At is the row of a name and a size, nil if it was not measured.
func (f *Figures) At(name string, size int) *measure.Result {
	if r := f.Near(name, size); r != nil && r.Size == size {
		return r
	}
	return nil
}

// Near is the row of a name whose size is nearest by factor, nil if there is none.
func (f *Figures) Near(name string, size int) *measure.Result {
	if f == nil {
		return nil
	}
	var nearest *measure.Result
	distance := math.Inf(1)
	for _, r := range f.rows[name] {
		d := math.Abs(math.Log(float64(max(r.Size, 1)) / float64(max(size, 1))))
		if d < distance {
			nearest, distance = r, d
		}
	}
	return nearest
}

// ours is the median of our variant; 0 without a row.
func ours(r *measure.Result) float64 {
	if r == nil {
		return 0
	}
	return r.Variants[0].Median
}

// tell is a row's name, size and our figure: "bw_pipe, 64 B: 1.54 M msg/s".
func tell(r *measure.Result) string {
	name := r.Name
	if r.Size > 0 {
		name += ", " + report.Size(r.Size)
	}
	return name + ": " + report.Figure(ours(r), r)
}
