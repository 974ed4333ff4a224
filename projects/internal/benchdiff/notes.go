package benchdiff

import (
	"fmt"
	"strings"
	"time"

	"unpipc/projects/internal/measure"
)

// notes say in what the two runs differ beside their figures.
func notes(a, b *measure.Results) []string {
	list := []string{}
	differ := func(what string, a, b any) {
		if before, after := fmt.Sprint(a), fmt.Sprint(b); before != after {
			list = append(list, fmt.Sprintf("%s: %s, then %s", what, before, after))
		}
	}
	differ("another machine", a.Machine.CPU, b.Machine.CPU)
	differ("another number of cores", a.Machine.Cores, b.Machine.Cores)
	differ("other memory", gib(a.Machine.MemoryBytes), gib(b.Machine.MemoryBytes))
	differ("another kernel", a.Machine.Kernel, b.Machine.Kernel)
	differ("another governor", a.Machine.Governor, b.Machine.Governor)
	differ("another Go", a.Machine.Go, b.Machine.Go)
	differ("another C compiler", a.Machine.Compiler, b.Machine.Compiler)
	differ("other workloads", kind(a), kind(b))
	differ("other rounds", a.Runs, b.Runs)
	differ("runs of another length", time.Duration(a.BudgetNS), time.Duration(b.BudgetNS))
	differ("other CPUs", a.Pin, b.Pin)
	differ("another priority", priority(a), priority(b))
	for i, r := range []*measure.Results{a, b} {
		if r.Machine.Busy() {
			list = append(list, fmt.Sprintf("the machine had other work when the %s run began: load %s",
				[]string{"first", "second"}[i], r.Machine.Load))
		}
	}
	return list
}

func gib(bytes uint64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30)) }

func kind(r *measure.Results) string {
	if r.Quick {
		return "quick"
	}
	return "full"
}

func priority(r *measure.Results) string {
	if r.RealTime {
		return "real-time"
	}
	return "normal"
}

// note is that something is true of these; it does not name more than a few.
func (d *Diff) note(what string, names []string) {
	if len(names) == 0 {
		return
	}
	const most = 8
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	d.Notes = append(d.Notes, fmt.Sprintf("%s: %s%s", what, strings.Join(names, ", "), more))
}

// warn says what the test cannot tell.
func (d *Diff) warn() {
	lines, few, endless := 0, 0, false
	for _, t := range d.Tables {
		for _, l := range t.Lines {
			lines++
			endless = endless || l.Before.Spread == "∞" || l.After.Spread == "∞"
			if l.TooFew {
				few++
			}
		}
	}
	if endless {
		d.Notes = append(d.Notes, "±: the 95 % confidence interval of a median needs 6 rounds")
	}
	if few > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("too few rounds in %d of %d lines: no difference can be significant at alpha %g "+
			"with fewer than 4 in each run (--runs)", few, lines, Alpha))
	}
	if expected := Alpha * float64(lines-few); expected >= 1 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d comparisons at alpha %g: some %.0f would look significant where nothing has changed",
			lines-few, Alpha, expected))
	}
}
