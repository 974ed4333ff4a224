package htmlreport

import (
	"fmt"
	"strconv"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/report"
)

type table struct {
	Title string
	Head  []cell
	Rows  []tableRow
}

type tableRow struct {
	Class string // "failed", "skipped", "peer"
	Cells []cell
}

type cell struct {
	Text  string
	Class string // "n": a number; "missed", "met"
	Wide  int    // columns that it takes; 0: one
}

func number(text string) cell { return cell{Text: text, Class: "n"} }

// header is a line of headings: one of words, then numbers.
func header(texts ...string) []cell {
	var cells []cell
	for i, t := range texts {
		c := cell{Text: t}
		if i > 0 {
			c.Class = "n"
		}
		cells = append(cells, c)
	}
	return cells
}

// groupTables are the rows as they are, a table for each group's rates and one for its times.
func groupTables(res *measure.Results) []*table {
	var all []*table
	byTitle := map[string]*table{}
	for i := range res.Rows {
		r := &res.Rows[i]
		title, quantity := r.Group+": rates", "bytes/s"
		if r.LowerIsBetter {
			title, quantity = r.Group+": times", "p99"
		}
		t := byTitle[title]
		if t == nil {
			t = &table{Title: title, Head: []cell{{Text: "row"}, number(""), {Text: "ours"}, number("median"), number("spread"),
				number(quantity), {Text: "against"}, number("median"), number("ratio"), {Text: "goal"}}}
			byTitle[title] = t
			all = append(all, t)
		}
		t.addResult(r)
	}
	return all
}

func (t *table) addResult(r *measure.Result) {
	head := []cell{{Text: r.Name}, number(report.Varied(r.Size, r.Workers))}
	switch rest := len(t.Head) - 2; {
	case r.Failed != "":
		t.Rows = append(t.Rows, tableRow{"failed", append(head, cell{Text: "FAILED: " + r.Failed, Wide: rest})})
		return
	case r.Skipped != "":
		t.Rows = append(t.Rows, tableRow{"skipped", append(head, cell{Text: "not possible here: " + r.Skipped, Wide: rest})})
		return
	case len(r.Variants) == 0:
		return
	}
	v := &r.Variants[0]
	left := append(head, cell{Text: v.Name}, number(report.Figure(v.Median, r)), number(report.Spread(v.Median, v.Min, v.Max)), number(also(r, v)))
	if len(r.Variants) == 1 {
		t.Rows = append(t.Rows, tableRow{Cells: append(left, cell{}, cell{}, cell{}, cell{})})
	}
	for i := range r.Variants[1:] {
		line := tableRow{Cells: append(left, against(r, &r.Variants[i+1])...)}
		if i > 0 {
			line.Class = "peer"
		}
		t.Rows = append(t.Rows, line)
		left = make([]cell, len(left))
	}
}

// also is what a row's rate or time has a second figure for.
func also(r *measure.Result, v *measure.VariantResult) string {
	switch {
	case r.LowerIsBetter && v.Times != nil:
		return report.Seconds(float64(v.Times.P99))
	case !r.LowerIsBetter && v.BytesPerSecond > 0 && r.Unit != measure.Bytes:
		return report.SI(v.BytesPerSecond, "B/s")
	}
	return ""
}

func against(r *measure.Result, v *measure.VariantResult) []cell {
	if v.Skipped != "" {
		return []cell{{Text: v.Name}, {Text: "not measured: " + v.Skipped, Wide: 3}}
	}
	goal := cell{Text: report.Goal(v.Ratio, r.LowerIsBetter)}
	if v.Ratio.Met != nil {
		goal.Class = "met"
		if !*v.Ratio.Met {
			goal.Class = "missed"
		}
	}
	ratio := fmt.Sprintf("%s (%s–%s)", short(v.Ratio.Median), short(v.Ratio.Min), short(v.Ratio.Max))
	return []cell{{Text: v.Name}, number(report.Figure(v.Median, r)), number(ratio), goal}
}

// short is a ratio: 0.953, 12.8.
func short(x float64) string {
	digits := 2
	if x >= 10 {
		digits = 1
	}
	return strconv.FormatFloat(x, 'f', digits, 64)
}
