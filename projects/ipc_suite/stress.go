package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"unpipc/projects/ipc_suite/stress"
)

// stressFlags are the command line's.
type stressFlags struct {
	all, list bool
	only      string
	options   stress.Options
}

func stressCommand() *cobra.Command {
	var f stressFlags
	cmd := &cobra.Command{
		Use:   "stress --all | --only REGEXP",
		Short: "Every mechanism under load with faults: killed and stopped peers, full queues, signal storms",
		Long: `Runs every mechanism under load by several processes, kills, stops and interrupts them,
verifies what must hold all the same, and counts what is left behind. One seed fixes the
whole plan of a round: who is killed, in which of his operations and where in it; who is
stopped or signalled, and when by the count of operations; every size, type and priority.
It does not fix how the kernel schedules the processes. When something does not hold, the
seed of that round is printed with the command that plays it again, and the exit status
is 1. SIGINT ends a run with a report of what was done so far.`,
		Example: `  ipc_suite stress --all --duration 60s
  ipc_suite stress --only 'sem|mutex' --duration 10s
  ipc_suite stress --only '^pipe$' --seed 1234 --rounds 1`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			scenarios, err := f.selection(cmd.Flags().Changed("seed"))
			if err != nil {
				return usageError{err}
			}
			if f.list {
				for _, sc := range scenarios {
					fmt.Fprintf(cmd.OutOrStdout(), "%-12s %s\n", sc.Name, sc.Checks)
				}
				return nil
			}
			return f.run(cmd.Context(), cmd.OutOrStdout(), scenarios)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&f.all, "all", false, "every scenario")
	flags.StringVar(&f.only, "only", "", "scenarios whose name matches the regular expression")
	flags.BoolVar(&f.list, "list", false, "list the scenarios and what must hold in them")
	flags.DurationVar(&f.options.Duration, "duration", time.Minute, "of all scenarios together; each has a round at least")
	flags.Uint64Var(&f.options.Seed, "seed", 0, "of the first round of each scenario (default: another one each time)")
	flags.IntVar(&f.options.Rounds, "rounds", 0, "so many rounds of each scenario, however long it takes")
	flags.Uint64Var(&f.options.Ops, "ops", 0, "operations of each process in a round (default: the scenario's number)")
	flags.IntVar(&f.options.Parallel, "parallel", 1, "scenarios at a time")
	flags.DurationVar(&f.options.Patience, "patience", time.Minute, "how long nobody may go on before that is a failure")
	flags.BoolVar(&f.options.Sabotage, "sabotage", false, "do one thing wrong in each scenario: everything must fail")
	_ = flags.MarkHidden("sabotage")
	return cmd
}

// selection is every scenario that is asked for.
func (f *stressFlags) selection(seeded bool) ([]*stress.Scenario, error) {
	o := &f.options
	switch {
	case !f.all && f.only == "" && !f.list:
		return nil, errors.New("--all, or --only with a regular expression")
	case o.Duration < 0 || o.Patience <= 0:
		return nil, errors.New("--duration and --patience are not negative")
	case o.Rounds < 0 || o.Parallel < 1:
		return nil, errors.New("--rounds is not negative, --parallel at least 1")
	case o.Ops != 0 && (o.Ops < stress.LeastOps || o.Ops > stress.MostOps):
		return nil, fmt.Errorf("--ops is from %d to %d", stress.LeastOps, stress.MostOps)
	}
	only, err := regexp.Compile(f.only)
	if err != nil {
		return nil, fmt.Errorf("--only %s: %w", f.only, err)
	}
	scenarios := stress.Select(only)
	if len(scenarios) == 0 {
		return nil, fmt.Errorf("--only %s: no scenario has such a name", f.only)
	}
	if !seeded {
		o.Seed = uint64(rand.Uint32())
	}
	return scenarios, nil
}

func (f *stressFlags) run(ctx context.Context, w io.Writer, scenarios []*stress.Scenario) error {
	fmt.Fprintf(w, "seed %d\n", f.options.Seed)
	var results []*stress.Result
	left := stress.Run(ctx, scenarios, f.options, func(r *stress.Result) {
		fmt.Fprintf(w, "%-12s %s\n", r.Scenario.Name, r.Verdict())
		results = append(results, r)
	})
	fmt.Fprintln(w)
	good := len(left) == 0
	for _, r := range results {
		good = good && r.Good()
	}
	if err := stress.Table(w, stress.Sorted(results)); err != nil {
		return err
	}
	for _, l := range left {
		fmt.Fprintf(w, "\nleft behind: %s\n", l)
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if !good {
		return errSilent
	}
	return nil
}
