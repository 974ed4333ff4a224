package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"unpipc/projects/internal/exercise"
)

// verifyFlags are the command line's.
type verifyFlags struct {
	all, inC, mutants bool
	bin, root         string
	jobs              int
}

func verifyCommand() *cobra.Command {
	f := verifyFlags{jobs: runtime.NumCPU()}
	cmd := &cobra.Command{
		Use:   "verify N… | --all",
		Short: "Check programs of your own, in any language, with the exercises' scripts",
		Long: `Runs every script of an exercise over the programs in a folder, which must have
the names that the exercise gives them, and tells for each thing that is expected
of them whether they do it. Without --bin or --bin-root it checks the programs built
here; with --c the C references, which share no line with the Go programs: what both
pass is about behaviour. With --mutants it shows that the scripts refuse something: it
builds C references with one mistake each, and tells what refused them.`,
		Example: `  ipc_suite verify 1 --bin ~/my-solution
  ipc_suite verify --all --bin-root ~/my-solutions   # p01/mypipe, p02/calc_server, …
  ipc_suite verify --all --c
  ipc_suite verify --mutants 7`,
		RunE: func(cmd *cobra.Command, args []string) error {
			chosen, err := f.chosen(args)
			if err != nil {
				return err
			}
			good := false
			if f.mutants {
				good, err = verifyMutants(cmd.Context(), cmd.OutOrStdout(), chosen, f.jobs)
			} else {
				good, err = f.verify(cmd, chosen)
			}
			if err == nil && !good {
				err = errSilent
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&f.all, "all", false, "every exercise and every program of the lecture")
	flags.StringVar(&f.bin, "bin", "", "folder with the programs of one exercise")
	flags.StringVar(&f.root, "bin-root", "", "folder with a folder of programs for each exercise: p01, p02, …, lectures")
	flags.BoolVar(&f.inC, "c", false, "the C references instead of the Go programs")
	flags.BoolVar(&f.mutants, "mutants", false, "C references with a mistake each, which must be refused")
	flags.IntVarP(&f.jobs, "jobs", "j", f.jobs, "how many scripts run at once")
	return cmd
}

// chosen are the exercises that the command line asks for.
func (f *verifyFlags) chosen(args []string) ([]*exercise.Exercise, error) {
	switch {
	case f.jobs < 1:
		return nil, usageError{fmt.Errorf("--jobs %d: at least one", f.jobs)}
	case f.all && len(args) > 0:
		return nil, usageError{fmt.Errorf("--all and exercise %s: one of the two", args[0])}
	case f.bin != "" && (f.root != "" || f.inC || f.mutants || len(args) != 1):
		return nil, usageError{errors.New("--bin names the programs of one exercise; --bin-root has those of many")}
	case f.mutants && (f.root != "" || f.inC):
		return nil, usageError{errors.New("--mutants has programs of its own")}
	case f.root != "" && f.inC:
		return nil, usageError{errors.New("--bin-root and --c: one of the two")}
	case f.all:
		return all(), nil
	case f.mutants && len(args) == 0:
		return exercises, nil
	case len(args) == 0:
		return nil, usageError{errors.New("expected exercises (4, lecture-4), or --all")}
	}
	var chosen []*exercise.Exercise
	for _, arg := range args {
		e, err := exerciseArg([]string{arg})
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, e)
	}
	return chosen, nil
}

func (f *verifyFlags) verify(cmd *cobra.Command, chosen []*exercise.Exercise) (good bool, err error) {
	var trials []*trial
	for _, e := range chosen {
		dir, err := f.folder(e)
		if err != nil && len(chosen) == 1 {
			return false, err
		}
		t, err := newTrial(e, dir, f.inC, err)
		if err != nil {
			return false, err
		}
		trials = append(trials, t)
	}
	if len(trials) == 1 {
		err := playAll(cmd.Context(), trials, f.jobs, nil)
		if err == nil {
			trials[0].write(cmd.OutOrStdout())
		}
		return trials[0].passed(), err
	}
	if err := playAll(cmd.Context(), trials, f.jobs, showProgress(os.Stderr)); err != nil {
		return false, err
	}
	return writeTrials(cmd.OutOrStdout(), trials), nil
}

// folder has the programs to check, all of them.
func (f *verifyFlags) folder(e *exercise.Exercise) (string, error) {
	dir := f.bin
	switch {
	case f.root != "":
		dir = filepath.Join(f.root, e.Bin())
	case dir == "":
		return builtPrograms(e, f.inC)
	}
	if missing := e.Missing(dir); len(missing) > 0 {
		return dir, fmt.Errorf("%s: no program %s; %s has %s",
			dir, strings.Join(missing, ", "), e.Heading(), strings.Join(e.Programs, ", "))
	}
	return dir, nil
}

// inParallel calls f with 0 to n-1, so many at once, until one gives an error.
func inParallel(ctx context.Context, n, jobs int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	ended := make(chan struct{})
	for range jobs {
		go func() {
			defer func() { ended <- struct{}{} }()
			for i := range next {
				if err := f(ctx, i); err != nil {
					cancel(err)
				}
			}
		}()
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	for range jobs {
		<-ended
	}
	return context.Cause(ctx)
}
