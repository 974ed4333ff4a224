package htmlreport

import (
	"slices"
	"strconv"
	"strings"

	"unpipc/projects/internal/measure"
)

// chart is a figure of the page: plots of which one is seen, and what chooses it.
type chart struct {
	ID, Title string
	Lead      string // what to see in it
	Controls  []control
	Plots     []plot
}

// control is a question of a chart; a plot's key has the numbers of the answers.
type control struct {
	Label   string
	Options []string
}

// languages are the two variants that the charts of lines have.
var languages = []string{"Go", "C"}

func (c *chart) add(p plot, answers ...int) {
	var key []string
	for _, a := range answers {
		key = append(key, strconv.Itoa(a))
	}
	p.Key, p.Height = strings.Join(key, "-"), plotHeight
	c.Plots = append(c.Plots, p)
}

// variant is a row's variant of a name if it has figures.
func variant(r *measure.Result, name string) *measure.VariantResult {
	for i := range r.Variants {
		if v := &r.Variants[i]; v.Name == name && v.Skipped == "" {
			return v
		}
	}
	return nil
}

// channel is the mechanism of a row of messages between processes: "pipe" of bw_pipe. A
// row of the transfer group that sends in some other way, framed, is no channel of its own.
func channel(r *measure.Result, prefix string) (string, bool) {
	name, ok := strings.CutPrefix(r.Name, prefix)
	return name, ok && r.Size > 0 && (r.Group == "transfer" || name == "ring") && !strings.HasSuffix(name, "_framed")
}

func (c *chart) orNothing() *chart {
	if len(c.Plots) == 0 {
		return nil
	}
	return c
}

// seriesOf is the series of a label, a new one if there is none.
func seriesOf(all *[]series, label, family string) *series {
	for i := range *all {
		if (*all)[i].Label == label {
			return &(*all)[i]
		}
	}
	*all = append(*all, series{Label: label, Family: family})
	return &(*all)[len(*all)-1]
}

// add adds a point, unless there is one at its place: two rows may measure the same.
func (s *series) add(d datum) {
	if !slices.ContainsFunc(s.Points, func(e datum) bool { return e.X == d.X }) {
		s.Points = append(s.Points, d)
	}
}

// row is the series in a table whose columns are places on its axis.
func (s *series) row(columns []float64, text func(float64) string) tableRow {
	line := tableRow{Cells: []cell{{Text: s.Label}}}
	for _, x := range columns {
		c := number("–")
		if i := slices.IndexFunc(s.Points, func(d datum) bool { return d.X == x }); i >= 0 {
			c.Text = text(s.Points[i].Y)
		}
		line.Cells = append(line.Cells, c)
	}
	return line
}

// shortTicks are without the digits that a power of ten does not need: "1.00 GB/s" is "1 GB/s".
func shortTicks(ticks []tick) []tick {
	for i := range ticks {
		ticks[i].Text = strings.Replace(ticks[i].Text, ".00 ", " ", 1)
		ticks[i].Text = strings.Replace(ticks[i].Text, ".0 ", " ", 1)
	}
	return ticks
}
