package htmlreport

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/mechanism"
	"unpipc/projects/internal/report"
)

// locks is one to many workers that get in each other's way: a counter that they increment
// under a lock, and a round in which each of them wakes the next.
func locks(res *measure.Results) *chart {
	c := &chart{ID: "locks", Title: "Synchronization, one to many",
		Lead: "Workers increment a counter under a lock, or take turns until all have had theirs. " +
			"A lock in user space calls the kernel when somebody has to wait, one in the kernel each time.",
		Controls: []control{{"Show", []string{"increments a second", "time of a round"}}, {"Among", kinds}, {"Language", languages}}}
	for i, prefix := range []string{"incr_", "lat_"} {
		for j, kind := range kinds {
			for k, language := range languages {
				if p, ok := byWorkers(res, prefix, kind, language); ok {
					c.add(p, i, j, k)
				}
			}
		}
	}
	return c.orNothing()
}

// kinds are what workers can be.
var kinds = []string{"threads", "processes"}

// workers is the lock of a row and how many workers of a kind it has.
func workers(r *measure.Result, prefix, kind string) (lock string, n int, ok bool) {
	name, ok := strings.CutPrefix(r.Name, prefix)
	if !ok || r.Group != "lock contention" && r.Group != "lock wake-ups" {
		return "", 0, false
	}
	for _, k := range kinds {
		if cut, found := strings.CutSuffix(name, "_"+k); found {
			return cut, r.Workers, k == kind && r.Workers > 0
		}
	}
	// A variation, with one number of workers.
	return name, r.Workers, r.Workers > 1 && strings.Contains(r.What, kind)
}

func byWorkers(res *measure.Results, prefix, kind, language string) (plot, bool) {
	title, text := "Increments a second", func(v float64) string { return report.SI(v, "/s") }
	if prefix == "lat_" {
		title, text = "Time of a round", report.Seconds
	}
	title += fmt.Sprintf(", %s, %s", kind, language)
	var all []series
	var counts []float64
	for i := range res.Rows {
		r := &res.Rows[i]
		lock, n, ok := workers(r, prefix, kind)
		v := variant(r, language)
		if !ok || v == nil {
			continue
		}
		label, family := mechanism.Label(lock)
		seriesOf(&all, label, string(family)).add(datum{float64(n), v.Median, text(v.Median),
			fmt.Sprintf("%s, %d: %s (%s)", label, n, text(v.Median), report.Spread(v.Median, v.Min, v.Max))})
		counts = append(counts, float64(n))
	}
	if len(all) == 0 {
		return plot{}, false
	}
	slices.Sort(counts)
	counts = slices.Compact(counts)
	t := table{Title: title, Head: header("lock")}
	for _, n := range counts {
		t.Head = append(t.Head, number(fmt.Sprint(n)))
	}
	var drawn []series
	var values []float64
	for _, s := range all {
		slices.SortFunc(s.Points, func(a, b datum) int { return cmp.Compare(a.X, b.X) })
		t.Rows = append(t.Rows, s.row(counts, text))
		if len(s.Points) > 1 || len(counts) == 1 { // one point is no line: the table has it
			drawn = append(drawn, s)
			for _, d := range s.Points {
				values = append(values, d.Y)
			}
		}
	}
	if len(drawn) == 0 {
		return plot{}, false
	}
	x := axis{counts[0], counts[len(counts)-1], decadic}
	y, ticks := logAxis(values, text)
	p := plot{
		About:  title + ", by their number, a line for each lock; the table below has the figures.",
		XTitle: kind, YTitle: title, Y: shortTicks(ticks), Lines: newPlot(x, y, drawn), Table: t,
	}
	for _, n := range counts {
		p.X = append(p.X, tick{At: toPercent(x.at(n) * (1 - room)), Text: fmt.Sprint(n)})
	}
	return p, true
}
