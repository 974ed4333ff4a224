package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/script"
)

func compareCommand() *cobra.Command {
	rounds := 5
	cmd := &cobra.Command{
		Use:   "compare N",
		Short: "Play an exercise's demonstration over Go and over C, side by side",
		Long: `Plays the demonstration over the Go programs and over the C references in
alternating rounds, tells for every step whether both behave and print the same
(but for process ids, times and other numbers), and gives the ratio of the times
of the whole session. For the speed of a mechanism, see benchmark.`,
		Example: "  ipc_suite compare 2",
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := exerciseArg(args)
			if err != nil {
				return err
			}
			if rounds < 1 {
				return usageError{fmt.Errorf("--rounds %d: at least one", rounds)}
			}
			same, err := compare(cmd.OutOrStdout(), e, rounds)
			if err == nil && !same {
				err = errSilent
			}
			return err
		},
	}
	cmd.Flags().IntVar(&rounds, "rounds", rounds, "how often each side plays")
	return cmd
}

func compare(w io.Writer, e *exercise.Exercise, rounds int) (same bool, err error) {
	sides := [2]struct {
		bin  string
		took []time.Duration
		last *script.Transcript
	}{}
	for i, inC := range []bool{false, true} {
		if sides[i].bin, err = builtPrograms(e, inC); err != nil {
			return false, err
		}
	}
	var ratios []float64
	for round := range rounds {
		for i := range sides {
			s := &sides[(i+round)%2]
			start := time.Now()
			if s.last, err = script.Play(e.Scripts, exercise.MainScript, s.bin); err != nil {
				return false, err
			}
			s.took = append(s.took, time.Since(start))
		}
		ratios = append(ratios, sides[0].took[round].Seconds()/sides[1].took[round].Seconds())
	}
	fmt.Fprintf(w, "%s, Go beside its C reference\n", e.Heading())
	same = writeComparison(w, sides[0].last, sides[1].last)
	slices.Sort(ratios)
	median := func(d []time.Duration) float64 { slices.Sort(d); return d[len(d)/2].Seconds() }
	fmt.Fprintf(w, "\nwhole session, %d alternating rounds: Go %.3f s, C %.3f s, Go/C %.2f (%.2f to %.2f)\n",
		rounds, median(sides[0].took), median(sides[1].took),
		ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1])
	return same, nil
}

// writeComparison sets two transcripts of one script side by side.
func writeComparison(w io.Writer, inGo, inC *script.Transcript) (same bool) {
	same = len(inGo.Sections) == len(inC.Sections)
	for i := range inGo.Sections {
		if i >= len(inC.Sections) {
			break
		}
		g, c := &inGo.Sections[i], &inC.Sections[i]
		verdict := "same output"
		switch {
		case !g.OK() || !c.OK():
			verdict = "FAILED"
		case !slices.EqualFunc(g.Steps, c.Steps, sameStep):
			verdict = "DIFFERENT OUTPUT"
		}
		fmt.Fprintf(w, "\n  %s\n    Go %-4s  C %-4s  %s\n", g.Title, okWord(g.OK()), okWord(c.OK()), verdict)
		if verdict == "same output" {
			continue
		}
		same = false
		fmt.Fprintln(w, "    Go:")
		explain(w, g)
		fmt.Fprintln(w, "    C:")
		explain(w, c)
	}
	return same
}

var number = regexp.MustCompile(`\d+`)

// sameStep is blind to numbers of two digits and more: pids, times, sizes. What
// they must be is for the script's own checks.
func sameStep(a, b script.Step) bool {
	mask := func(s string) string {
		return number.ReplaceAllStringFunc(script.Printed(s), func(n string) string {
			if len(n) > 1 {
				return "#"
			}
			return n
		})
	}
	return mask(a.Output) == mask(b.Output)
}

func okWord(ok bool) string {
	if ok {
		return "ok"
	}
	return "FAIL"
}
