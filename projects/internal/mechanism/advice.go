package mechanism

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/report"
)

// Write writes the recommendation, with the figures of a run; f may be nil.
func (c *Choice) Write(w io.Writer, f *Figures) error {
	var b strings.Builder
	item(&b, "need", c.Need.String())
	if c.Best == nil {
		c.writeNothing(&b)
		_, err := io.WriteString(w, b.String())
		return err
	}
	item(&b, "use", c.Best.Name)
	item(&b, "because", c.Best.Why)
	c.writeMeasured(&b, c.Best, f)
	if m, why := c.RunnerUp(); m != nil {
		item(&b, "runner-up", m.Name+": "+why)
		c.writeMeasured(&b, m, f)
	}
	if m, r := c.fastest(f); m != nil && m != c.Best {
		item(&b, "fastest", fmt.Sprintf("%s, of those that fit and were measured (%s)", m.Name, tell(r)))
	}
	item(&b, "look out", c.Best.Watch)
	item(&b, "read", c.Best.Reading())
	if f == nil {
		item(&b, "figures", "none without a run, which --results then takes:")
		command(&b, c.pattern())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Choice) writeNothing(b *strings.Builder) {
	item(b, "use", "nothing here fits")
	for i, why := range c.Because() {
		label := ""
		if i == 0 {
			label = "because"
		}
		item(b, label, why)
	}
	relaxed := c.Relax()
	for i, r := range relaxed {
		label := ""
		if i == 0 {
			label = "but"
		}
		item(b, label, fmt.Sprintf("with --%s %s: %s", r.Question, r.Answer, r.Best.Name))
	}
	switch {
	case len(relaxed) > 0:
	case c.Need.Between == "machines":
		item(b, "but", "a server can do it for the others: ask for a call (--for call --between machines)")
	case c.Need.For == Transfer && c.Need.Readers == "all":
		item(b, "but", "state that all can read (--for state --readers all), or a channel for each reader, can do it")
	default:
		item(b, "but", "no single demand is in the way: give up several, or put two mechanisms together")
	}
}

// writeMeasured tells a mechanism's figures, at the size nearest to the need's.
func (c *Choice) writeMeasured(b *strings.Builder, m *Mechanism, f *Figures) {
	if f == nil {
		return
	}
	label := "measured"
	for _, name := range m.Rows {
		if r := f.Near(name, c.Need.Size); r != nil {
			item(b, label, tell(r))
			label = ""
		}
	}
	if label != "" {
		item(b, label, "not in these results; a run that has them:")
		command(b, "^("+strings.Join(m.Rows, "|")+")$")
	}
}

// fastest is the best by its first row among those that fit and have it in the same unit;
// nil if there is nothing to compare.
func (c *Choice) fastest(f *Figures) (best *Mechanism, row *measure.Result) {
	compared := 0
	for _, m := range append([]*Mechanism{c.Best}, c.Others...) {
		r := f.Near(m.Rows[0], c.Need.Size)
		if r == nil || row != nil && (r.Unit != row.Unit || r.Size != row.Size) {
			continue
		}
		compared++
		if row == nil || (ours(r) > ours(row)) != r.LowerIsBetter {
			best, row = m, r
		}
	}
	if compared < 2 {
		return nil, nil
	}
	return best, row
}

// pattern matches the rows that tell of those that fit.
func (c *Choice) pattern() string {
	var rows []string
	for _, m := range append([]*Mechanism{c.Best}, c.Others...) {
		rows = append(rows, m.Rows...)
	}
	slices.Sort(rows)
	return "^(" + strings.Join(slices.Compact(rows), "|") + ")$"
}

// Reading is where the mechanism is in this repository.
func (m *Mechanism) Reading() string {
	var parts []string
	for _, p := range strings.Split(m.Package, ", ") {
		if p != "" {
			parts = append(parts, "gobind/"+p)
		}
	}
	if parts == nil {
		parts = []string{"package net of the standard library"}
	}
	target := "make project-" + m.Exercise
	if strings.HasPrefix(m.Exercise, "lecture") {
		target = "make " + m.Exercise
	}
	return strings.Join(parts, ", ") + "; " + target
}

// words are the answers that demand something.
func (n *Need) words() []string {
	var words []string
	for i := range Questions {
		q := &Questions[i]
		switch {
		case !q.Applies(n):
		case q.Answers == nil:
			words = append(words, "up to "+report.Size(n.Size))
		default:
			// The first answers demand nothing, but for what it is and whom it is between.
			if answer := *q.field(n); answer != q.Default() || q.Name == "for" || q.Name == "between" {
				words = append(words, q.Name+" "+answer)
			}
		}
	}
	return words
}

// String is the need as answers.
func (n Need) String() string { return strings.Join(n.words(), ", ") }

// item is a label and a text, broken into lines.
func item(b *strings.Builder, label, what string) {
	const indent, width = 12, 100
	for i, line := range strings.Split(text.WrapSoft(what, width-indent), "\n") {
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(b, "%-*s%s\n", indent, label, strings.TrimRight(line, " "))
	}
}

// command is one that measures rows, on a line of its own: broken it could not be copied.
func command(b *strings.Builder, rows string) {
	fmt.Fprintf(b, "ipc_suite benchmark --only '%s' --format json -o results.json\n", rows)
}

// Explain writes the rules: for each answer the mechanisms that it leaves.
func Explain(w io.Writer) error {
	var b strings.Builder
	b.WriteString("The first mechanism that meets every demand is recommended. The simplest come first;\nwhat each answer leaves:\n")
	for i := range Questions {
		q := &Questions[i]
		fmt.Fprintf(&b, "\n--%s: %s\n", q.Name, q.Text)
		if q.Answers == nil {
			for j := range Catalog {
				if m := &Catalog[j]; m.Most > 0 {
					item(&b, "", fmt.Sprintf("%s: up to %s", m.Name, report.Size(m.Most)))
				} else if m.Shared > 0 {
					item(&b, "", fmt.Sprintf("%s: up to %s if several write", m.Name, report.Size(m.Shared)))
				}
			}
			continue
		}
		for _, a := range q.Answers {
			item(&b, "  "+a.Name, a.Text+": "+q.leaves(a))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// leaves are the mechanisms that an answer to this question alone does not exclude.
func (q *Question) leaves(a Answer) string {
	var names []string
	excluded := false
	for i := range Catalog {
		m := &Catalog[i]
		asked := false
		fits := false
		for _, purpose := range m.For {
			n := Need{For: purpose}
			if q.Name != "for" {
				n.Between = m.Between[0]
				if !q.Applies(&n) || a.only != "" && a.only != purpose {
					continue
				}
			}
			asked = true
			*q.field(&n) = a.Name
			for _, r := range rules {
				if r.question == q.Name && r.objection(m, &n) == "" {
					fits = fits || q.Name != "for" || purpose == a.Name
				}
			}
		}
		switch {
		case asked && fits:
			names = append(names, m.Name)
		case asked:
			excluded = true
		}
	}
	if !excluded {
		return "all"
	}
	return strings.Join(names, "; ")
}
