package htmlreport

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// plot is one view of a chart of lines. Its places are in percent of the frame, whose
// height is fixed and whose width is the page's: only lines are in the SVG, which is
// stretched, and every text is HTML over it, which is not.
type plot struct {
	Key            string // which view of its chart
	About          string // in words, for who cannot see it
	Height         int    // in CSS pixels
	XTitle, YTitle string
	X, Y           []tick
	Lines          []line
	Table          table
}

type tick struct {
	At    percent
	Text  string
	Extra bool // left out where the page is narrow
}

type line struct {
	Label   string
	Value   string // beside the label, where the line is one point
	Family  string
	Dash    int // its number within the family: lines alike in color differ in this
	Path    string
	Leader  string // from the last point to the label
	LabelAt percent
	Points  []point
}

type point struct {
	X, Y percent
	Tip  string
}

// percent is rounded, so that it prints without an exponent.
type percent float64

func toPercent(part float64) percent { return percent(math.Round(part*1e4) / 1e2) }

// series is what a line shows, in the units of the axes.
type series struct {
	Label, Family string
	Points        []datum
}

type datum struct {
	X, Y  float64
	Value string // Y as text
	Tip   string // "": a bend of the line, not a point to be asked for
}

// axis maps a value to its part of the frame's width.
type axis struct {
	min, max float64
	scale    func(float64) float64
}

func (a axis) at(v float64) float64 {
	low, high := a.scale(a.min), a.scale(a.max)
	if high == low {
		return 1 // one place only: beside the labels
	}
	return min(max((a.scale(v)-low)/(high-low), 0), 1)
}

func decadic(v float64) float64 { return math.Log10(v) }

// logAxis covers values that are greater than 0, and has ticks at powers of ten, nine at most.
func logAxis(values []float64, text func(float64) string) (axis, []tick) {
	least, greatest := slices.Min(values), slices.Max(values)
	a := axis{least / 1.25, greatest * 1.25, decadic}
	low, high := math.Ceil(math.Log10(a.min)), math.Floor(math.Log10(a.max))
	var steps []float64
	stride := math.Ceil((high - low + 1) / 9)
	for e := low; e <= high; e += stride {
		steps = append(steps, math.Pow(10, e))
	}
	if len(steps) < 3 { // hardly two decades: 2 and 5 between
		steps = nil
		for e := low - 1; e <= high; e++ {
			for _, m := range []float64{1, 2, 5} {
				if v := m * math.Pow(10, e); v >= a.min && v <= a.max {
					steps = append(steps, v)
				}
			}
		}
	}
	var ticks []tick
	for _, v := range steps {
		ticks = append(ticks, tick{At: toPercent(1 - a.at(v)), Text: text(v)})
	}
	return a, ticks
}

// What labels of the plot's lines need, in CSS pixels.
const (
	plotHeight  = 420
	labelHeight = 17
)

// room is the part of the width that is kept free for leaders to the labels.
const room = 0.04

// newPlot puts series into a frame.
func newPlot(x, y axis, all []series) []line {
	var lines []line
	count := map[string]int{}
	for _, s := range all {
		l := line{Label: s.Label, Family: s.Family, Dash: count[s.Family]}
		count[s.Family]++
		var path strings.Builder
		var end point
		for i, d := range s.Points {
			end = point{toPercent(x.at(d.X) * (1 - room)), toPercent(1 - y.at(d.Y)), d.Tip}
			fmt.Fprintf(&path, "%c%v %v", "ML"[min(i, 1)], end.X, end.Y)
			if d.Tip != "" {
				l.Points = append(l.Points, end)
			}
		}
		l.Path, l.LabelAt = path.String(), end.Y
		if x.min == x.max {
			l.Value = s.Points[0].Value
		}
		l.Leader = fmt.Sprintf("M%v %v", end.X, end.Y)
		lines = append(lines, l)
	}
	spread(lines)
	for i := range lines {
		l := &lines[i]
		l.Leader += fmt.Sprintf("L%v %v", percent(100*(1-room/2)), l.LabelAt) + fmt.Sprintf("L100 %v", l.LabelAt)
	}
	return lines
}

// spread moves labels so that none covers another, as little as that takes.
func spread(lines []line) {
	const height = percent(100 * labelHeight / plotHeight)
	order := make([]*line, len(lines))
	for i := range lines {
		order[i] = &lines[i]
	}
	slices.SortStableFunc(order, func(a, b *line) int {
		switch {
		case a.LabelAt < b.LabelAt:
			return -1
		case a.LabelAt > b.LabelAt:
			return 1
		}
		return 0
	})
	// Down from the top, then up from the bottom, each by half of what is needed: several
	// times, which ends with all of them near their lines.
	for range 200 {
		for i := 1; i < len(order); i++ {
			if gap := height - (order[i].LabelAt - order[i-1].LabelAt); gap > 0 {
				order[i-1].LabelAt -= gap / 2
				order[i].LabelAt += gap / 2
			}
		}
		for i, l := range order {
			least := height/2 + height*percent(i)
			most := 100 - height/2 - height*percent(len(order)-1-i)
			if least <= most {
				l.LabelAt = min(max(l.LabelAt, least), most)
			}
		}
	}
	for _, l := range order {
		l.LabelAt = toPercent(float64(l.LabelAt) / 100)
	}
}
