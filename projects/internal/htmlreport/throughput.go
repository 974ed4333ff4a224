package htmlreport

import (
	"fmt"
	"slices"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/mechanism"
	"unpipc/projects/internal/report"
)

// throughput is messages by their size: bytes or messages a second.
func throughput(res *measure.Results) *chart {
	c := &chart{ID: "throughput", Title: "Throughput by message size",
		Lead: "Small messages cost a call each, large ones a copy. A line that ends early is a mechanism that takes no larger messages here.",
		Controls: []control{
			{"Show", []string{unitWords["B/s"], unitWords["msg/s"]}}, {"Language", languages},
		}}
	for i, unit := range []string{"B/s", "msg/s"} {
		for j, language := range languages {
			if p, ok := bySize(res, unit, language); ok {
				c.add(p, i, j)
			}
		}
	}
	return c.orNothing()
}

func bySize(res *measure.Results, unit, language string) (plot, bool) {
	var all []series
	var sizes, values []float64
	text := func(v float64) string { return report.SI(v, unitSuffix(unit)) }
	for i := range res.Rows {
		r := &res.Rows[i]
		name, ok := channel(r, "bw_")
		v := variant(r, language)
		if !ok || v == nil || r.Unit != measure.Messages {
			continue
		}
		rate := v.Median
		if unit == "B/s" {
			rate *= float64(r.Size)
		}
		label, family := mechanism.Label(name)
		seriesOf(&all, label, string(family)).add(datum{float64(r.Size), rate, text(rate),
			fmt.Sprintf("%s, %s: %s (%s)", label, report.Size(r.Size), text(rate), report.Spread(v.Median, v.Min, v.Max))})
		sizes, values = append(sizes, float64(r.Size)), append(values, rate)
	}
	if len(all) == 0 {
		return plot{}, false
	}
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	x := axis{sizes[0], sizes[len(sizes)-1], decadic}
	y, ticks := logAxis(values, text)
	p := plot{
		About:  fmt.Sprintf("Throughput of %s in %s by message size, a line for each mechanism; the table below has the figures.", language, unit),
		XTitle: "message size", YTitle: unitWords[unit] + ", " + language, Y: shortTicks(ticks), Lines: newPlot(x, y, all),
	}
	head := []string{"mechanism"}
	for i, s := range sizes {
		// On a narrow page every other one, counted from the last.
		extra := len(sizes) > 5 && (len(sizes)-1-i)%2 == 1
		p.X = append(p.X, tick{toPercent(x.at(s) * (1 - room)), report.Size(int(s)), extra})
		head = append(head, report.Size(int(s)))
	}
	p.Table = table{Title: fmt.Sprintf("Throughput by message size, %s", language), Head: header(head...)}
	for _, s := range all {
		p.Table.Rows = append(p.Table.Rows, s.row(sizes, text))
	}
	return p, true
}

var unitWords = map[string]string{"B/s": "bytes a second", "msg/s": "messages a second"}

func unitSuffix(unit string) string {
	if unit == "B/s" {
		return unit
	}
	return " " + unit
}
