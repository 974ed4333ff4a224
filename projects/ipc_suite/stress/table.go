package stress

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
)

// Verdict is one word for a result.
func (r *Result) Verdict() string {
	switch {
	case !r.Good():
		return "FAILED"
	case r.Interrupted:
		return "interrupted"
	}
	return "ok"
}

// faults are what was injected, in words.
func (r *Result) faults() string {
	var words []string
	for _, f := range []struct {
		n    uint64
		what string
	}{{r.Kills, "killed"}, {r.Stops, "stopped"}, {r.Signals, "signals"}, {r.Full, "full"}} {
		if f.n > 0 {
			words = append(words, humanize.Comma(int64(f.n))+" "+f.what)
		}
	}
	return strings.Join(words, ", ")
}

// Table writes what all scenarios have come to, and how to see a failure again.
func Table(w io.Writer, results []*Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "scenario\trounds\toperations\tfaults\tinvariants\tleft\tverdict")
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%d\t%s\n", r.Scenario.Name, r.Rounds,
			humanize.Comma(int64(r.Operations)), r.faults(), humanize.Comma(int64(r.Checked)), len(r.Left), r.Verdict())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range results {
		if r.Failure != nil {
			fmt.Fprintf(w, "\n%s, seed %d: %v\n  again: %s\n", r.Scenario.Name, r.Seed, r.Failure, r.Replay())
		}
		for _, left := range r.Left {
			fmt.Fprintf(w, "\n%s has left behind: %s\n", r.Scenario.Name, left)
		}
	}
	return nil
}
