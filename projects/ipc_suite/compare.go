package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
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
alternating rounds, tells for every step whether both do what they must and print
the same, and gives the ratio of the times of the whole session. Process numbers,
keys, times and sizes differ between any two runs, and so does the order of what
happens at once; of other output the lines are shown. For the speed of a mechanism,
see benchmark.`,
		Example: "  ipc_suite compare 2",
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := exerciseArg(args)
			if err != nil {
				return err
			}
			if rounds < 1 {
				return usageError{fmt.Errorf("--rounds %d: at least one", rounds)}
			}
			right, err := compare(cmd.OutOrStdout(), e, rounds)
			if err == nil && !right {
				err = errSilent
			}
			return err
		},
	}
	cmd.Flags().IntVar(&rounds, "rounds", rounds, "how often each side plays")
	return cmd
}

func compare(w io.Writer, e *exercise.Exercise, rounds int) (right bool, err error) {
	sides := [2]struct {
		bin  string
		took []time.Duration
		last *script.Transcript
	}{}
	if err = demonstratedInC(e); err != nil {
		return false, err
	}
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
			s.last.Replace(s.bin, "$BIN")
		}
		ratios = append(ratios, sides[0].took[round].Seconds()/sides[1].took[round].Seconds())
	}
	fmt.Fprintf(w, "%s, Go beside its C reference\n", e.Heading())
	right = writeComparison(w, sides[0].last, sides[1].last)
	slices.Sort(ratios)
	median := func(d []time.Duration) float64 { slices.Sort(d); return d[len(d)/2].Seconds() }
	fmt.Fprintf(w, "\nwhole session, %d alternating rounds: Go %.3f s, C %.3f s, Go/C %.2f (%.2f to %.2f)\n",
		rounds, median(sides[0].took), median(sides[1].took),
		ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1])
	return right, nil
}

// writeComparison sets two transcripts of one script side by side. It is right if both
// sides pass the script's checks: whether they print the same is told, but two runs of one
// program need not do that either.
func writeComparison(w io.Writer, inGo, inC *script.Transcript) (right bool) {
	right = len(inGo.Sections) == len(inC.Sections)
	for i := range min(len(inGo.Sections), len(inC.Sections)) {
		g, c := &inGo.Sections[i], &inC.Sections[i]
		if g.Title == "" && g.OK() && c.OK() {
			continue
		}
		verdict, onlyGo, onlyC := likenessOf(g, c)
		if !g.OK() || !c.OK() {
			verdict, right = "FAILED", false
		}
		fmt.Fprintf(w, "\n  %s\n    Go %-4s  C %-4s  %s\n", title(g), okWord(g.OK()), okWord(c.OK()), verdict)
		for _, side := range []struct {
			name string
			of   *script.Section
			only []string
		}{{"Go", g, onlyGo}, {"C", c, onlyC}} {
			if !side.of.OK() {
				fmt.Fprintf(w, "    %s:\n", side.name)
				explain(w, side.of)
			} else if right {
				writeOnly(w, side.name, side.only)
			}
		}
	}
	return right
}

// shown is how many lines of each side are shown where the output differs.
const shown = 6

func writeOnly(w io.Writer, side string, lines []string) {
	for i, line := range lines {
		if i == shown {
			fmt.Fprintf(w, "      %-2s … and %d more\n", side, len(lines)-i)
			break
		}
		fmt.Fprintf(w, "      %-2s | %s\n", side, line)
	}
}

// likeness is how much alike two outputs of the same commands are.
type likeness int

const (
	equal    likeness = iota // but for what differs between two runs of one program
	shuffled                 // the same lines
	figures                  // but for numbers, and how often there is a line
	different
)

// likenessOf is that of the two steps that are least alike, in words. The lines are those
// that only one side has.
func likenessOf(a, b *script.Section) (verdict string, onlyA, onlyB []string) {
	if len(a.Steps) != len(b.Steps) {
		return "other steps", nil, nil
	}
	least := equal
	for i := range a.Steps {
		if a.Steps[i].Checks() {
			continue
		}
		inA, inB := script.Printed(a.Steps[i].Output), script.Printed(b.Steps[i].Output)
		least = max(least, outputLikeness(inA, inB))
		onlyA = append(onlyA, missing(inA, inB)...)
		onlyB = append(onlyB, missing(inB, inA)...)
	}
	if least == different {
		return "other output, which is right too", onlyA, onlyB
	}
	return [...]string{"same output", "same lines, in another order", "same but for the figures"}[least], nil, nil
}

var (
	// Keys, process numbers, times, sizes: what has two digits or more.
	changing = regexp.MustCompile(`0x[0-9a-fA-F]+|[0-9a-f]{16,}|\d+\.\d+|\d{2,}`)
	// And all others, with a unit that goes with their size, and the s of a plural. In small
	// letters: the C library's words for an error begin with a capital, Go's do not.
	number = regexp.MustCompile(`(?:0x[0-9a-f]+|[0-9a-f]{16,}|\d[\d.,]*(?:e[-+]\d+)?)(?: ?(?:[nµum]?s|[kmgt]?i?b/s|[kmgt](?:/s)?|million|thousand)\b)?`)
	plural = regexp.MustCompile(`(# [a-z]+?)s\b`)
	blanks = regexp.MustCompile(`[ \t]+`) // the width of a column goes with the number in it
)

func maskChanging(line string) string {
	return blanks.ReplaceAllString(changing.ReplaceAllString(line, "#"), " ")
}

func maskNumbers(line string) string {
	return blanks.ReplaceAllString(plural.ReplaceAllString(number.ReplaceAllString(strings.ToLower(line), "#"), "$1"), " ")
}

func outputLikeness(a, b string) likeness {
	masked := func(s string, mask func(string) string) []string {
		lines := strings.Split(s, "\n")
		for i := range lines {
			lines[i] = mask(lines[i])
		}
		return lines
	}
	inA, inB := masked(a, maskChanging), masked(b, maskChanging)
	if slices.Equal(inA, inB) {
		return equal
	}
	slices.Sort(inA)
	slices.Sort(inB)
	if slices.Equal(inA, inB) {
		return shuffled
	}
	if len(missing(a, b)) == 0 && len(missing(b, a)) == 0 {
		return figures
	}
	return different
}

// missing are the lines of a whose like is not in b.
func missing(a, b string) []string {
	inB := map[string]bool{"": true}
	for line := range strings.Lines(b) {
		inB[maskNumbers(strings.TrimRight(line, "\n"))] = true
	}
	var only []string
	for line := range strings.Lines(a) {
		if line = strings.TrimRight(line, "\n"); !inB[maskNumbers(line)] {
			only = append(only, line)
		}
	}
	return only
}

func okWord(ok bool) string {
	if ok {
		return "ok"
	}
	return "FAIL"
}
