package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"unpipc/projects/internal/benchdiff"
	"unpipc/projects/internal/measure"
)

// diffFormats are the ways to write a comparison.
var diffFormats = map[string]func(io.Writer, *benchdiff.Diff) error{
	"table": benchdiff.Text, "md": benchdiff.Markdown, "json": benchdiff.JSON,
}

func compareRunsCommand() *cobra.Command {
	var only, format string
	var ratios bool
	cmd := &cobra.Command{
		Use:   "compare-runs BEFORE.json AFTER.json",
		Short: "Tell which figures of two benchmark runs differ by more than chance",
		Long: `Compares two results of benchmark --format json by the method of Go's benchstat: the
medians of the rounds, the Mann-Whitney U test at an alpha of 0.05, "~" where there is no
significant change, and the geometric mean of all changes of a table. What the two runs
differ in besides, the machine for one, is noted. With fewer than four rounds in each run
nothing can be significant, which is noted too. Rows are matched by group, name, size,
workers and variant; one that has two units is an error.

With --ratios it is the ratio of Go to each peer that is compared: it changes less with
what else the machine did than the figures do.

The exit status is 0 whatever the changes are.`,
		Example: `  ipc_suite benchmark --only transfer -o before.json --format json
  ipc_suite benchmark --only transfer -o after.json --format json
  ipc_suite compare-runs before.json after.json
  ipc_suite compare-runs before.json after.json --only bw_ --ratios --format md`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError{fmt.Errorf("expected two files of results, got %d arguments", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			write := diffFormats[format]
			if write == nil {
				return usageError{fmt.Errorf("--format %s: table, md or json", format)}
			}
			wanted, err := regexp.Compile(only)
			if err != nil {
				return usageError{fmt.Errorf("--only %s: %w", only, err)}
			}
			before, beforeErr := measure.Load(args[0])
			after, afterErr := measure.Load(args[1])
			if err := errors.Join(beforeErr, afterErr); err != nil {
				return err
			}
			names := [2]string{filepath.Base(args[0]), filepath.Base(args[1])}
			if names[0] == names[1] {
				names = [2]string(args)
			}
			d, err := benchdiff.Compare(names[0], names[1], before, after, benchdiff.Options{
				Keep: func(r *measure.Result) bool {
					return wanted.MatchString(r.Name) || wanted.MatchString(r.Group)
				},
				Ratios: ratios,
			})
			if err != nil {
				return err
			}
			if len(d.Tables) == 0 {
				return errors.New("the two runs have no figure in common")
			}
			return write(cmd.OutOrStdout(), d)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&only, "only", "", "rows whose name or group matches the regular expression")
	flags.BoolVar(&ratios, "ratios", false, "compare the ratios of Go to its peers")
	flags.StringVar(&format, "format", "table", "table, md or json")
	return cmd
}
