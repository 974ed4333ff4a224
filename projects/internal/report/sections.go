package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"unpipc/projects/internal/measure"
)

// section is one table: rows of one group that are all rates or all times.
type section struct {
	title string
	table table.Writer
	last  string   // name of the row before
	notes []string // what a cell has no room for
}

type column struct {
	name  string
	align text.Align
}

var (
	rateColumns = []column{
		{"", text.AlignLeft}, {"size", text.AlignRight}, {"ours", text.AlignLeft}, {"median", text.AlignRight},
		{"spread", text.AlignRight}, {"bytes", text.AlignRight}, {"against", text.AlignLeft},
		{"median", text.AlignRight}, {"ratio", text.AlignRight}, {"goal", text.AlignLeft},
	}
	timeColumns = []column{
		{"", text.AlignLeft}, {"size", text.AlignRight}, {"ours", text.AlignLeft}, {"median", text.AlignRight},
		{"spread", text.AlignRight}, {"avg", text.AlignRight}, {"p50", text.AlignRight}, {"p99", text.AlignRight}, {"p99.9", text.AlignRight},
		{"against", text.AlignLeft}, {"median", text.AlignRight}, {"p99", text.AlignRight},
		{"ratio", text.AlignRight}, {"goal", text.AlignLeft},
	}
)

func sections(res *measure.Results) []*section {
	var all []*section
	byTitle := map[string]*section{}
	for i := range res.Rows {
		r := &res.Rows[i]
		title, columns := r.Group+": rates", rateColumns
		if r.LowerIsBetter {
			title, columns = r.Group+": times", timeColumns
		}
		s := byTitle[title]
		if s == nil {
			s = newSection(title, columns)
			byTitle[title] = s
			all = append(all, s)
		}
		s.add(r)
	}
	return all
}

func newSection(title string, columns []column) *section {
	s := &section{title: title, table: table.NewWriter()}
	var header table.Row
	var configs []table.ColumnConfig
	for i, c := range columns {
		header = append(header, c.name)
		configs = append(configs, table.ColumnConfig{Number: i + 1, Align: c.align, AlignHeader: c.align})
	}
	s.table.AppendHeader(header)
	s.table.SetColumnConfigs(configs)
	return s
}

// add makes a line for each peer; ours stands on the first.
func (s *section) add(r *measure.Result) {
	size := Varied(r.Size, r.Workers)
	head := table.Row{r.Name, size}
	if r.Name == s.last {
		head[0] = ""
	}
	s.last = r.Name
	if len(r.Variants) == 0 {
		verdict, note := "FAILED", "FAILED: "+r.Failed
		if r.Failed == "" {
			verdict, note = "skipped", "not possible here: "+r.Skipped
		}
		s.table.AppendRow(append(head, verdict))
		s.notes = append(s.notes, fmt.Sprintf("%s: %s", strings.TrimSpace(r.Name+" "+size), note))
		return
	}
	left := append(head, ours(r)...)
	if len(r.Variants) == 1 {
		s.table.AppendRow(left)
	}
	for i := range r.Variants[1:] {
		v := &r.Variants[i+1]
		if i > 0 {
			left = make(table.Row, len(left))
			for j := range left {
				left[j] = ""
			}
		}
		if v.Skipped != "" {
			s.notes = append(s.notes, fmt.Sprintf("%s: %s not measured: %s", strings.TrimSpace(r.Name+" "+size), v.Name, v.Skipped))
		}
		s.table.AppendRow(append(left, peer(r, v)...))
	}
}

// Varied is in what rows of one name differ: 64 B, or ×4 for four workers.
func Varied(size, workers int) string {
	switch {
	case size > 0:
		return bytes(size)
	case workers > 0:
		return fmt.Sprintf("×%d", workers)
	}
	return ""
}

func ours(r *measure.Result) table.Row {
	v := &r.Variants[0]
	cells := table.Row{v.Name, figure(v.Median, r), spread(v.Median, v.Min, v.Max)}
	if !r.LowerIsBetter {
		if v.BytesPerSecond > 0 && r.Unit != measure.Bytes {
			return append(cells, si(v.BytesPerSecond, "B/s"))
		}
		return append(cells, "")
	}
	if t := v.Times; t != nil {
		return append(cells, seconds(t.Avg), seconds(float64(t.P50)), seconds(float64(t.P99)), seconds(float64(t.P999)))
	}
	return append(cells, "", "", "", "")
}

func peer(r *measure.Result, v *measure.VariantResult) table.Row {
	if v.Skipped != "" {
		return table.Row{v.Name, "–"}
	}
	cells := table.Row{v.Name, figure(v.Median, r)}
	if r.LowerIsBetter {
		p99 := ""
		if v.Times != nil {
			p99 = seconds(float64(v.Times.P99))
		}
		cells = append(cells, p99)
	}
	ratio := fmt.Sprintf("%.3f (%.2f–%.2f)", v.Ratio.Median, v.Ratio.Min, v.Ratio.Max)
	return append(cells, ratio, goal(v.Ratio, r.LowerIsBetter))
}

func goal(r *measure.Ratio, lowerIsBetter bool) string {
	if r.Met == nil {
		return ""
	}
	bound, verdict := "≥", "met"
	if lowerIsBetter {
		bound = "≤"
	}
	if !*r.Met {
		verdict = "NOT MET"
	}
	return fmt.Sprintf("%s %.2f %s", bound, r.Goal, verdict)
}

// figure is a value of the row with its unit: 2.21 M msg/s, 141 MB/s, 8.50 µs.
func figure(x float64, r *measure.Result) string {
	switch {
	case r.Unit == measure.Bytes:
		return si(x, "B/s")
	case r.Unit == measure.Nanoseconds:
		return seconds(x)
	}
	return si(x, " "+string(r.Unit))
}

// spread is how far the rounds were from their median at most.
func spread(median, least, greatest float64) string {
	return fmt.Sprintf("±%.0f %%", 100*max(median-least, greatest-median)/median)
}

func seconds(ns float64) string { return si(ns/1e9, "s") }

// bytes is a size: 64 B, 4 KiB, 1.5 MiB.
func bytes(n int) string { return strings.Replace(humanize.IBytes(uint64(n)), ".0 ", " ", 1) }

// si is a number of three digits, a prefix and a unit.
func si(x float64, unit string) string {
	if x != 0 {
		// Rounded first: 999.7 is 1.00 k, 9.998 is 10.0.
		last := math.Pow10(int(math.Floor(math.Log10(math.Abs(x)))) - 2)
		x = math.Round(x/last) * last
	}
	v, prefix := humanize.ComputeSI(x)
	digits := 0
	switch {
	case v < 9.999:
		digits = 2
	case v < 99.99:
		digits = 1
	}
	if prefix == "" {
		unit = strings.TrimPrefix(unit, " ")
	}
	return fmt.Sprintf("%.*f %s%s", digits, v, prefix, unit)
}
