package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/script"
)

// trial is an exercise's scripts over the programs in a folder.
type trial struct {
	of      *exercise.Exercise
	bin     string
	missing error // why it cannot be played: that passes for failing
	names   []string
	played  []*script.Transcript
	took    time.Duration // of all scripts, as if one after the other
}

func newTrial(e *exercise.Exercise, bin string, inC bool, missing error) (*trial, error) {
	names, err := e.ScriptFiles(inC)
	return &trial{of: e, bin: bin, missing: missing, names: names,
		played: make([]*script.Transcript, len(names))}, err
}

// playAll plays the scripts of all trials, so many at once. It calls progress, if there is
// one, after each.
func playAll(ctx context.Context, trials []*trial, jobs int, progress func(t *trial, done, total int)) error {
	type part struct {
		of *trial
		i  int
	}
	var parts []part
	for _, t := range trials {
		for i := range t.names {
			if t.missing == nil {
				parts = append(parts, part{t, i})
			}
		}
	}
	var mu sync.Mutex
	done := 0
	return inParallel(ctx, len(parts), jobs, func(_ context.Context, i int) error {
		t, start := parts[i].of, time.Now()
		played, err := script.Play(t.of.Scripts, t.names[parts[i].i], t.bin)
		mu.Lock()
		defer mu.Unlock()
		t.played[parts[i].i] = played
		t.took += time.Since(start)
		done++
		if progress != nil && err == nil {
			progress(t, done, len(parts))
		}
		return err
	})
}

// count counts sections.
func (t *trial) count() (passed, failed int) {
	for _, p := range t.played {
		if p == nil {
			continue
		}
		for i := range p.Sections {
			switch s := &p.Sections[i]; {
			case !s.OK():
				failed++
			case s.Title != "":
				passed++
			}
		}
	}
	return passed, failed
}

func (t *trial) passed() bool {
	passed, failed := t.count()
	return t.missing == nil && failed == 0 && passed > 0
}

// write writes a verdict for every section.
func (t *trial) write(w io.Writer) {
	fmt.Fprintf(w, "%s, programs in %s\n", t.of.Heading(), t.bin)
	for i, p := range t.played {
		fmt.Fprintf(w, "\n%s\n", scriptName(t.names[i]))
		for k := range p.Sections {
			s := &p.Sections[k]
			switch {
			case !s.OK():
				fmt.Fprintf(w, "  FAIL  %s\n", title(s))
				explain(w, s)
			case s.Title != "":
				fmt.Fprintf(w, "  ok    %s\n", s.Title)
			}
		}
	}
	passed, failed := t.count()
	fmt.Fprintf(w, "\n%d passed, %d failed\n", passed, failed)
}

// writeTrials writes what failed, and a line for every exercise.
func writeTrials(w io.Writer, trials []*trial) (good bool) {
	tab := table.NewWriter()
	tab.SetStyle(table.StyleLight)
	tab.AppendHeader(table.Row{"", "N", "Exercise", "Scripts", "Passed", "Failed", "Seconds"})
	tab.SetColumnConfigs([]table.ColumnConfig{{Number: 7, Align: text.AlignRight, AlignFooter: text.AlignRight}})
	var scripts, passed, failed, bad int
	var took time.Duration
	for _, t := range trials {
		p, f := t.count()
		mark := "ok"
		if !t.passed() {
			mark = "FAIL"
			bad++
			t.writeFailures(w)
		}
		tab.AppendRow(table.Row{mark, t.of.Arg(), t.of.Title, len(t.names), p, f, seconds(t.took)})
		scripts, passed, failed, took = scripts+len(t.names), passed+p, failed+f, took+t.took
	}
	tab.AppendFooter(table.Row{"", "", fmt.Sprintf("%d of %d pass", len(trials)-bad, len(trials)),
		scripts, passed, failed, seconds(took)})
	tab.Style().Format.Footer = text.FormatDefault
	fmt.Fprintln(w, tab.Render())
	return bad == 0
}

func (t *trial) writeFailures(w io.Writer) {
	fmt.Fprintf(w, "%s\n", t.of.Heading())
	if t.missing != nil {
		fmt.Fprintf(w, "  %v\n", t.missing)
	}
	for i, p := range t.played {
		for k := 0; p != nil && k < len(p.Sections); k++ {
			if s := &p.Sections[k]; !s.OK() {
				fmt.Fprintf(w, "  FAIL  %s: %s\n", scriptName(t.names[i]), title(s))
				explain(w, s)
			}
		}
	}
	fmt.Fprintln(w)
}

// explain shows a section's steps up to the last one that failed: what is after it says
// nothing of why.
func explain(w io.Writer, s *script.Section) {
	last := 0
	for i, step := range s.Steps {
		if step.Failed != "" {
			last = i
		}
	}
	for _, step := range s.Steps[:last+1] {
		fmt.Fprintf(w, "          > %s\n", step.Line)
		for line := range strings.Lines(script.Printed(step.Output)) {
			fmt.Fprintf(w, "            %s\n", strings.TrimSuffix(line, "\n"))
		}
		if step.Failed != "" {
			fmt.Fprintf(w, "        ! %s\n", step.Failed)
		}
	}
}

// showProgress shows how many scripts have been played: as a bar where f is a terminal,
// else as a line for each exercise that is through.
func showProgress(f *os.File) func(t *trial, done, total int) {
	if !term.IsTerminal(int(f.Fd())) {
		left := map[*trial]int{}
		return func(t *trial, done, total int) {
			if _, known := left[t]; !known {
				left[t] = len(t.names)
			}
			if left[t]--; left[t] == 0 {
				passed, failed := t.count()
				fmt.Fprintf(f, "[%d/%d] %s: %d passed, %d failed\n", done, total, t.of.Heading(), passed, failed)
			}
		}
	}
	var b *progressbar.ProgressBar
	return func(t *trial, done, total int) {
		if b == nil {
			b = progressbar.NewOptions(total, progressbar.OptionSetWriter(f), progressbar.OptionSetWidth(30),
				progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
		}
		b.Describe(fmt.Sprintf("%-44s", t.of.Heading()))
		_ = b.Set(done) // a terminal that cannot be written to is no reason to stop
	}
}

// title is what a section's verdict begins with.
func title(s *script.Section) string {
	if s.Title == "" {
		return "What comes before all that"
	}
	return s.Title
}

func scriptName(file string) string {
	return strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".txtar")
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }
