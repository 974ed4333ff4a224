package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/mechanism"
)

func chooseCommand() *cobra.Command {
	var results string
	explain := false
	cmd := &cobra.Command{
		Use:   "choose [--for PURPOSE …]",
		Short: "Recommend a mechanism for a need, with the figures of a run",
		Long: `Asks what a mechanism is needed for and recommends one: the simplest that meets every
demand, with the runner-up, what to look out for, and what to read. With the results
of a benchmark it tells their figures; it has none of its own. Any flag that is an
answer makes it ask nothing: the other questions then have their first answer. The
exit status is 1 where nothing fits.`,
		Example: `  ipc_suite choose
  ipc_suite choose --for transfer --between unrelated --priority yes
  ipc_suite choose --for state --readers all --keep disk --results results.json
  ipc_suite choose --explain`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			if explain {
				return mechanism.Explain(out)
			}
			var figures *mechanism.Figures
			if results != "" {
				res, err := measure.Load(results)
				if err != nil {
					return err
				}
				figures = mechanism.FiguresOf(res)
			}
			need, given, err := needOf(cmd.Flags())
			if err == nil && !given {
				need, err = ask(cmd.InOrStdin(), out)
			}
			if err != nil {
				return err
			}
			choice := mechanism.Choose(need)
			if err := choice.Write(out, figures); err != nil {
				return err
			}
			if choice.Best == nil {
				return errSilent
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	for _, q := range mechanism.Questions {
		var names []string
		for _, a := range q.Answers {
			names = append(names, a.Name)
		}
		if names == nil {
			names = []string{"such as 64, 4KiB"}
		}
		flags.String(q.Name, "", fmt.Sprintf("%s (%s)", q.Text, strings.Join(names, ", ")))
	}
	flags.StringVar(&results, "results", "", "file of a benchmark's results as JSON")
	flags.BoolVar(&explain, "explain", false, "list the rules")
	return cmd
}

// needOf is what the flags say; given is false if they say nothing of the need.
func needOf(flags *pflag.FlagSet) (need mechanism.Need, given bool, err error) {
	for i := range mechanism.Questions {
		q := &mechanism.Questions[i]
		f := flags.Lookup(q.Name)
		answer := q.Default()
		if f.Changed {
			given = true
			answer = f.Value.String()
		}
		switch {
		case !q.Applies(&need) && f.Changed:
			return need, true, usageError{fmt.Errorf("--%s means nothing for --for %s between %s", q.Name, need.For, need.Between)}
		case q.Applies(&need):
			if err := q.Set(&need, answer); err != nil {
				return need, true, usageError{fmt.Errorf("--%s: %w", q.Name, err)}
			}
		}
	}
	return need, given, nil
}

// hint is what an empty line stands for, before what else there is.
func hint(q *mechanism.Question) string {
	switch {
	case q.Answers == nil:
		return q.Default() + " B"
	case q.Plain():
		return q.Default() + "/yes"
	}
	return q.Default()
}

// ask asks the questions that have a meaning after the answers so far. An empty line is
// the first answer; an answer that is none is asked for again.
func ask(in io.Reader, out io.Writer) (mechanism.Need, error) {
	var need mechanism.Need
	lines := bufio.NewScanner(in)
	for i := range mechanism.Questions {
		q := &mechanism.Questions[i]
		if !q.Applies(&need) {
			continue
		}
		fmt.Fprintf(out, "%s\n", q.Text)
		for j, a := range q.For(&need) {
			if q.Plain() {
				break
			}
			fmt.Fprintf(out, "  %d  %-10s %s\n", j+1, a.Name, a.Text)
		}
		for {
			fmt.Fprintf(out, "[%s] > ", hint(q))
			if !lines.Scan() {
				fmt.Fprintln(out)
				if err := lines.Err(); err != nil {
					return need, err
				}
				return need, errors.New("the answers ended before the questions; flags can answer them, see 'ipc_suite choose --help'")
			}
			answer := strings.TrimSpace(lines.Text())
			if answer == "" {
				answer = q.Default()
			}
			err := q.Set(&need, answer)
			if err == nil {
				break
			}
			fmt.Fprintln(out, err)
		}
		fmt.Fprintln(out)
	}
	return need, nil
}
