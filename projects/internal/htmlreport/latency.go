package htmlreport

import (
	"fmt"
	"math"
	"slices"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/mechanism"
	"unpipc/projects/internal/report"
)

// marked are the percentiles that a curve has points and its table has columns for.
var marked = []struct {
	q    float64
	text string
}{{0.5, "50"}, {0.9, "90"}, {0.99, "99"}, {0.999, "99.9"}, {0.9999, "99.99"}, {0.99999, "99.999"}}

// latency is the distribution of round trips, a chart for each message size.
func latency(res *measure.Results) *chart {
	var sizes []int
	for i := range res.Rows {
		r := &res.Rows[i]
		if _, ok := channel(r, "lat_"); ok && len(r.Variants) > 0 && r.Variants[0].Times != nil {
			sizes = append(sizes, r.Size)
		}
	}
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	c := &chart{ID: "latency", Title: "Round trips by percentile",
		Lead: "The flat part is the mechanism and the wake-up it needs; what rises on the right is the scheduler, " +
			"and everything else that ran on the machine."}
	var texts []string
	for i, size := range sizes {
		texts = append(texts, report.Size(size))
		for j, language := range languages {
			if p, ok := byPercentile(res, size, language); ok {
				c.add(p, i, j)
			}
		}
	}
	c.Controls = []control{{"Message", texts}, {"Language", languages}}
	return c.orNothing()
}

func byPercentile(res *measure.Results, size int, language string) (plot, bool) {
	var all []series
	var values []float64
	last := 0.9
	t := table{Title: fmt.Sprintf("Round trips, %s, %s", report.Size(size), language), Head: header("mechanism", "average")}
	for _, m := range marked {
		t.Head = append(t.Head, cell{Text: "p" + m.text, Class: "n"})
	}
	t.Head = append(t.Head, cell{Text: "most", Class: "n"})
	for i := range res.Rows {
		r := &res.Rows[i]
		name, ok := channel(r, "lat_")
		if !ok || r.Size != size {
			continue
		}
		v := variant(r, language)
		if v == nil || v.Times == nil {
			continue
		}
		label, family := mechanism.Label(name)
		s := series{Label: label, Family: string(family)}
		cells := []cell{{Text: label}, number(report.Seconds(v.Times.Avg))}
		for _, m := range marked {
			text := "–"
			if ns, ok := quantile(v.Times, m.q); ok {
				text = report.Seconds(ns)
			}
			cells = append(cells, number(text))
		}
		t.Rows = append(t.Rows, tableRow{Cells: append(cells, number(report.Seconds(float64(v.Times.Max))))})
		for _, q := range curve(v.Times) {
			d := datum{X: q.Q, Y: float64(max(q.NS, 1))}
			if text, ok := isMarked(q.Q); ok {
				d.Tip = fmt.Sprintf("%s, p%s: %s", label, text, report.Seconds(d.Y))
			}
			s.Points = append(s.Points, d)
			values, last = append(values, d.Y), max(last, q.Q)
		}
		if len(s.Points) > 0 {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return plot{}, false
	}
	x := axis{0, last, func(q float64) float64 { return -math.Log10(1 - min(q, 1-1e-9)) }}
	y, ticks := logAxis(values, report.Seconds)
	p := plot{
		About: fmt.Sprintf("Round trip times of messages of %s in %s by percentile, a line for each mechanism; "+
			"the table below has the figures.", report.Size(size), language),
		XTitle: "percentile of all round trips", YTitle: "round trip, " + language, Y: shortTicks(ticks), Lines: newPlot(x, y, all), Table: t,
	}
	for _, m := range marked {
		if m.q <= last {
			p.X = append(p.X, tick{At: toPercent(x.at(m.q) * (1 - room)), Text: m.text, Extra: m.q > 0.99 && m.q < last})
		}
	}
	return p, true
}

// curve is the distribution without its ends. The greatest has no place on an axis that
// shows how few are slower still, and the least is one lucky operation.
func curve(t *measure.Times) []measure.Quantile {
	if len(t.Quantiles) == 0 {
		return []measure.Quantile{{Q: 0.5, NS: t.P50}, {Q: 0.99, NS: t.P99}, {Q: 0.999, NS: t.P999}}
	}
	return slices.DeleteFunc(slices.Clone(t.Quantiles), func(q measure.Quantile) bool { return q.Q < 0.05 || q.Q >= 1 })
}

func quantile(t *measure.Times, q float64) (ns float64, ok bool) {
	for _, p := range curve(t) {
		if math.Abs(p.Q-q) < 1e-9 {
			return float64(p.NS), true
		}
	}
	return 0, false
}

func isMarked(q float64) (string, bool) {
	for _, m := range marked {
		if math.Abs(m.q-q) < 1e-9 {
			return m.text, true
		}
	}
	return "", false
}
