package htmlreport

import (
	"fmt"
	"math"
	"strings"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/report"
)

// ratioLine is one line of the chart of ratios: the rows of a name, at all sizes or numbers
// of workers, against one peer.
type ratioLine struct {
	Name, Peer string
	Missed     bool
	Marks      []mark
	Goals      []percent
}

// mark is the ratio of one row: the median and, around it, the least and the greatest.
type mark struct {
	At, From, Width percent
	Class           string // "met", "missed", "free": without a goal
	Off             string // "low", "high": beyond the chart
	Tip             string
}

type ratioGroup struct {
	Title string
	Lines []*ratioLine
}

// The chart of ratios is from an eighth to eight times, and 1 is in its middle.
const widest = 8

var ratioAxis = axis{1.0 / widest, widest, decadic}

var ratioTicks = []tick{
	{At: toPercent(ratioAxis.at(0.125)), Text: "1/8"}, {At: toPercent(ratioAxis.at(0.25)), Text: "1/4"},
	{At: toPercent(ratioAxis.at(0.5)), Text: "1/2"}, {At: toPercent(ratioAxis.at(1)), Text: "1"},
	{At: toPercent(ratioAxis.at(2)), Text: "2"}, {At: toPercent(ratioAxis.at(4)), Text: "4"}, {At: toPercent(ratioAxis.at(8)), Text: "8"},
}

// ratios are all rows against C, and against whatever else they have a goal for.
func ratios(res *measure.Results) []*ratioGroup {
	var groups []*ratioGroup
	byKey := map[string]*ratioLine{}
	for i := range res.Rows {
		r := &res.Rows[i]
		for j := range r.Variants {
			v := &r.Variants[j]
			if v.Ratio == nil || v.Name != "C" && v.Ratio.Met == nil {
				continue
			}
			if len(groups) == 0 || groups[len(groups)-1].Title != r.Group {
				groups = append(groups, &ratioGroup{Title: r.Group})
			}
			key := strings.Join([]string{r.Group, r.Name, v.Name}, "\x00")
			l := byKey[key]
			if l == nil {
				l = &ratioLine{Name: r.Name, Peer: v.Name}
				if r.Variants[0].Name != "Go" {
					l.Name += " (" + r.Variants[0].Name + ")"
				}
				byKey[key] = l
				g := groups[len(groups)-1]
				g.Lines = append(g.Lines, l)
			}
			l.add(r, v.Ratio)
		}
	}
	return groups
}

// add puts a mark. Of times the inverse is shown: to the right is always better.
func (l *ratioLine) add(r *measure.Result, q *measure.Ratio) {
	median, least, greatest, goal := q.Median, q.Min, q.Max, q.Goal
	if r.LowerIsBetter {
		median, least, greatest = 1/median, 1/greatest, 1/least
		if goal != 0 {
			goal = 1 / goal
		}
	}
	m := mark{At: toPercent(ratioAxis.at(median)), From: toPercent(ratioAxis.at(least)), Class: "free"}
	m.Width = toPercent(float64(toPercent(ratioAxis.at(greatest))-m.From) / 100)
	switch {
	case median < 1.0/widest:
		m.Off = "low"
	case median > widest:
		m.Off = "high"
	}
	name := r.Name
	if which := report.Varied(r.Size, r.Workers); which != "" {
		name += ", " + which
	}
	m.Tip = fmt.Sprintf("%s: %s times the speed of %s (%s to %s)", name, short(median), l.Peer, short(least), short(greatest))
	if q.Met != nil {
		m.Class = "met"
		if !*q.Met {
			m.Class, l.Missed = "missed", true
		}
		m.Tip += fmt.Sprintf("; goal %s %s", short(goal), m.Class)
		l.goal(toPercent(ratioAxis.at(goal)))
	}
	l.Marks = append(l.Marks, m)
}

func (l *ratioLine) goal(at percent) {
	for _, g := range l.Goals {
		if math.Abs(float64(g-at)) < 0.01 {
			return
		}
	}
	l.Goals = append(l.Goals, at)
}
