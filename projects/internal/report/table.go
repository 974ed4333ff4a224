package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"unpipc/projects/internal/measure"
)

// width is how long a line of prose gets.
const width = 110

// Table writes the machine, the method and a table for each group, for a terminal.
func Table(w io.Writer, res *measure.Results) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", wrap("Machine: "+res.Machine.String()))
	for _, line := range method(res) {
		fmt.Fprintf(&b, "%s\n", wrap(line))
	}
	for _, s := range sections(res) {
		fmt.Fprintf(&b, "\n%s\n", s.title)
		s.table.SetStyle(plain)
		for line := range strings.Lines(s.table.Render()) {
			fmt.Fprintf(&b, "%s\n", strings.TrimRight(line, " \n"))
		}
		for _, line := range s.notes {
			fmt.Fprintf(&b, "%s\n", wrap(line))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", summary(res))
	_, err := io.WriteString(w, b.String())
	return err
}

// Markdown writes the same in Markdown.
func Markdown(w io.Writer, res *measure.Results) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Machine: %s\n\n", res.Machine)
	for _, line := range method(res) {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	for _, s := range sections(res) {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n", s.title, s.table.RenderMarkdown())
		for i, line := range s.notes {
			if i == 0 {
				b.WriteString("\n")
			}
			fmt.Fprintf(&b, "- %s\n", line)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", summary(res))
	_, err := io.WriteString(w, b.String())
	return err
}

// plain is a table without lines around its cells.
var plain = table.Style{
	Name:    "plain",
	Box:     table.StyleBoxLight,
	Options: table.Options{SeparateHeader: true},
}

// wrap breaks a paragraph into lines, which are indented from the second on.
func wrap(paragraph string) string {
	var b strings.Builder
	for i, line := range strings.Split(text.WrapSoft(paragraph, width), "\n") {
		if i > 0 {
			b.WriteString("\n  ")
		}
		b.WriteString(strings.TrimRight(line, " "))
	}
	return b.String()
}

// method says how the figures came about.
func method(res *measure.Results) []string {
	long := "about " + seconds(float64(res.BudgetNS))
	if res.TotalNS > 0 {
		long += ", or less so that all rows together take " + time.Duration(res.TotalNS).String()
	}
	engine := fmt.Sprintf("Method: %d rounds; in each, all variants of a row run once, in rotating order, each run "+
		"for %s, after discarded runs that warm up and find the count. Figures are the median of the rounds; "+
		"a ratio is ours to the peer in the same round. A time that was taken of each operation is the mean of all but "+
		"the slowest twentieth in a round; avg and the percentiles are of all.", res.Runs, long)
	if res.Quick {
		engine += " Quick: small workloads, and not every row."
	}
	if len(res.Pin) > 0 {
		engine += fmt.Sprintf(" Processes are pinned to the CPUs %v in turn.", res.Pin)
	}
	if res.RealTime {
		engine += " Processes run with real-time priority (SCHED_RR)."
	}
	lines := []string{engine}
	if res.Machine.Busy() {
		lines = append(lines, "Note: the machine had other work when this began; rates scatter then.")
	}
	for _, of := range []struct {
		label string
		text  func(r *measure.Result) string
	}{
		{"Measured", func(r *measure.Result) string { return r.What }},
		{"Verified", func(r *measure.Result) string { return r.Check }},
	} {
		lines = append(lines, described(res, of.label, of.text)...)
	}
	return lines
}

// described is a line for each different text, before it the rows that have it.
func described(res *measure.Results, label string, describe func(r *measure.Result) string) []string {
	type paragraph struct{ group, text string }
	var order []paragraph
	names, all := map[paragraph][]string{}, map[string][]string{}
	for i := range res.Rows {
		r := &res.Rows[i]
		p := paragraph{r.Group, describe(r)}
		if names[p] == nil {
			order = append(order, p)
		}
		names[p] = appendNew(names[p], r.Name)
		all[r.Group] = appendNew(all[r.Group], r.Name)
	}
	var lines []string
	for _, p := range order {
		who := p.group
		if len(names[p]) < len(all[p.group]) {
			who += ": " + strings.Join(names[p], ", ")
		}
		lines = append(lines, fmt.Sprintf("%s (%s): %s.", label, who, p.text))
	}
	return lines
}

func appendNew(names []string, name string) []string {
	if slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

func summary(res *measure.Results) string {
	var measured, failed, skipped, goals, met int
	for _, r := range res.Rows {
		switch {
		case r.Failed != "":
			failed++
		case r.Skipped != "":
			skipped++
		default:
			measured++
		}
		for _, v := range r.Variants {
			if v.Ratio != nil && v.Ratio.Met != nil {
				goals++
				if *v.Ratio.Met {
					met++
				}
			}
		}
	}
	return fmt.Sprintf("%d rows measured, %d failed, %d not possible here; %d of %d goals met.",
		measured, failed, skipped, met, goals)
}
