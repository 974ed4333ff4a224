package benchdiff

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/perf/benchunit"

	"unpipc/projects/internal/measure"
)

// JSON writes everything.
func JSON(w io.Writer, d *Diff) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

// cells are one line of a table: its label, both figures, and the change.
type cells [4]string

// Text writes tables in benchstat's layout.
func Text(w io.Writer, d *Diff) error {
	var b strings.Builder
	for _, t := range d.Tables {
		lines := []cells{{"", d.Before, d.After, ""}, {"", t.unit(), t.unit(), "vs base"}}
		lines = append(lines, t.cells()...)
		var width [len(cells{})]int
		for _, l := range lines {
			for i, c := range l {
				width[i] = max(width[i], utf8.RuneCountInString(c))
			}
		}
		fmt.Fprintf(&b, "%s, %s is better\n", t.Group, better(t.LowerIsBetter))
		for i, l := range lines {
			bar := " "
			if i < 2 {
				bar = "│"
			}
			line := fmt.Sprintf("%s %s %s %s %s  %s", left(l[0], width[0]), bar, left(l[1], width[1]), bar,
				left(l[2], width[2]), left(l[3], width[3]))
			if i < 2 {
				line += " │"
			}
			fmt.Fprintf(&b, "%s\n", strings.TrimRight(line, " "))
		}
		b.WriteString("\n")
	}
	for _, n := range d.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	fmt.Fprintf(&b, "%s\n", d.summary())
	_, err := io.WriteString(w, b.String())
	return err
}

// Markdown writes the same.
func Markdown(w io.Writer, d *Diff) error {
	var b strings.Builder
	for _, t := range d.Tables {
		fmt.Fprintf(&b, "### %s, %s (%s is better)\n\n", t.Group, t.unit(), better(t.LowerIsBetter))
		fmt.Fprintf(&b, "| | %s | %s | vs base |\n| --- | ---: | ---: | ---: |\n", d.Before, d.After)
		for _, l := range t.cells() {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", l[0], l[1], l[2], l[3])
		}
		b.WriteString("\n")
	}
	for _, n := range d.Notes {
		fmt.Fprintf(&b, "- %s\n", n)
	}
	fmt.Fprintf(&b, "\n%s\n", d.summary())
	_, err := io.WriteString(w, b.String())
	return err
}

func (d *Diff) summary() string {
	return fmt.Sprintf("%d better, %d worse, %d without significant change (%s)",
		d.Count(Better), d.Count(Worse), d.Count(Same), Same)
}

func better(lower bool) string {
	if lower {
		return "less"
	}
	return "more"
}

// unit is what the figures of a table are in.
func (t *Table) unit() string {
	if t.Unit == measure.Nanoseconds {
		return "sec/op"
	}
	return string(t.Unit)
}

func (t *Table) cells() []cells {
	var lines []cells
	for _, l := range t.Lines {
		lines = append(lines, cells{
			label(l.Name, l.Size, l.Workers) + " " + l.Variant, t.figure(l.Before), t.figure(l.After),
			l.test.FormatDelta(l.Before.Median, l.After.Median) + " (" + l.test.String() + ")",
		})
	}
	return append(lines, cells{"geomean", t.scale(t.GeomeanBefore), t.scale(t.GeomeanAfter),
		fmt.Sprintf("%+.2f%%", 100*t.GeomeanChange)})
}

func (t *Table) figure(s Summary) string { return t.scale(s.Median) + " ± " + s.Spread }

func (t *Table) scale(x float64) string {
	switch t.Unit {
	case ratio:
		return fmt.Sprintf("%.3f", x)
	case measure.Nanoseconds:
		x /= 1e9
	}
	return benchunit.Scale(x, benchunit.Decimal)
}

func left(s string, width int) string {
	return s + strings.Repeat(" ", width-utf8.RuneCountInString(s))
}
