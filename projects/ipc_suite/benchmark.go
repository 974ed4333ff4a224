package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"unpipc/projects/internal/callcost"
	"unpipc/projects/internal/lockcost"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/report"
	"unpipc/projects/internal/rpccost"
	"unpipc/projects/internal/transfer"
)

// What --all is to end within, and what it is with --quick.
const (
	fullTime  = 13 * time.Minute
	quickTime = 40 * time.Second
)

// With --quick a run is shorter, there are fewer of them, and rows with sizes have one.
const (
	fullRuns    = 5
	quickRuns   = 4 // the fewest that compare-runs can find a difference with
	quickBudget = 50 * time.Millisecond
	quickSize   = 1 << 10
)

// benchmarkFlags are the command line's.
type benchmarkFlags struct {
	all, quick, list bool
	realTime         bool
	only, format     string
	output           string
	sizes, pin       []string
	runs             int
	within           time.Duration
}

func benchmarkCommand() *cobra.Command {
	f := benchmarkFlags{format: "table"}
	cmd := &cobra.Command{
		Use:   "benchmark --all | --only REGEXP",
		Short: "Measure every mechanism, Go beside C, every message verified",
		Long: `Measures rows: bw_ is throughput and lat_ a round trip, between two real processes;
call_ is a call that nobody has to wait in, incr_ a counter that several increment.
In each round every variant of a row runs once, in rotating order, and the ratio of
Go to each peer is taken within the round; figures are medians with the least and
the greatest. A row whose check fails has no figures, and the exit status is 1.

Runs are as long as lets all rows end within the time of --within: of 300 ms where it
suffices, and where a row takes long to prepare its rounds are fewer, but three at least.
On a machine with other work it may take longer, for runs do not become shorter than means
something.

With --quick there are 4 rounds instead of 5, of shorter runs, and one message size,
1 KiB, instead of several; the locks are contended by 4 only; the databases have 3,000 and
10,000 records instead of 100,000 and 200,000, the picture 512 pixels a side instead of
2048, the files to sort a twentieth of their numbers. Rows that tell nearly what another one
tells are left out, and so is the failover of exercise 18. Figures of such a run show the order of the mechanisms; compare them
with those of other quick runs only.`,
		Example: `  ipc_suite benchmark --all --quick                    # a minute
  ipc_suite benchmark --all                            # a quarter of an hour
  ipc_suite benchmark --only 'pipe' --msg-size 64,1KiB,16KiB --runs 9
  ipc_suite benchmark --all --format json --output results.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.quick {
				f.hurry(cmd.Flags().Changed)
			}
			cfg, err := f.config()
			if err != nil {
				return usageError{err}
			}
			rows, err := f.selection(cfg)
			if err != nil {
				return usageError{err}
			}
			if f.list {
				for _, r := range rows {
					fmt.Fprintf(cmd.OutOrStdout(), "%-19s %-26s %8s  %s\n", r.Group, r.Name, report.Varied(r.Size, r.Workers), r.What)
				}
				return nil
			}
			return f.measure(cmd, rows, cfg)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&f.all, "all", false, "every row there is")
	flags.StringVar(&f.only, "only", "", "rows whose name or group matches the regular expression")
	flags.BoolVar(&f.list, "list", false, "list the rows instead of measuring them")
	flags.BoolVar(&f.quick, "quick", false, "small workloads and one message size: a minute for all rows")
	flags.StringSliceVar(&f.sizes, "msg-size", nil, "message sizes, such as 64,1KiB,1MiB")
	flags.IntVar(&f.runs, "runs", fullRuns, fmt.Sprintf("rounds for each row; with --quick %d", quickRuns))
	flags.DurationVar(&f.within, "within", fullTime, fmt.Sprintf("time for all rows together; with --quick %v", quickTime))
	flags.StringSliceVar(&f.pin, "pin", nil, "CPUs to pin the processes of a run to, in turn, such as 0,1")
	flags.BoolVar(&f.realTime, "rt", false, "real-time priority for the processes of a run: steadier, needs root")
	flags.StringVar(&f.format, "format", f.format, "table, json, csv or md")
	flags.StringVarP(&f.output, "output", "o", "", "file to write to instead of standard output")
	return cmd
}

// formats are the ways to write results.
var formats = map[string]func(io.Writer, *measure.Results) error{
	"table": report.Table, "json": report.JSON, "csv": report.CSV, "md": report.Markdown,
}

// hurry sets what is not given to what is quick.
func (f *benchmarkFlags) hurry(given func(flag string) bool) {
	if !given("runs") {
		f.runs = quickRuns
	}
	if !given("within") {
		f.within = quickTime
	}
	if !given("msg-size") {
		f.sizes = []string{strconv.Itoa(quickSize)}
	}
}

// config is what the flags say of how to measure.
func (f *benchmarkFlags) config() (measure.Config, error) {
	cfg := measure.Config{Runs: f.runs, RealTime: f.realTime, Quick: f.quick, Total: f.within}
	if !f.all && f.only == "" {
		return cfg, errors.New("--all, or --only with a regular expression")
	}
	if f.runs < 1 {
		return cfg, fmt.Errorf("--runs %d: at least one", f.runs)
	}
	if f.within <= 0 {
		return cfg, fmt.Errorf("--within %v: a time such as 5m", f.within)
	}
	if formats[f.format] == nil {
		return cfg, fmt.Errorf("--format %s: table, json, csv or md", f.format)
	}
	for _, text := range f.sizes {
		size, err := humanize.ParseBytes(text)
		if err != nil || size < 1 || size > 1<<30 {
			return cfg, fmt.Errorf("--msg-size %s: a size from 1 to 1GiB", text)
		}
		cfg.Sizes = append(cfg.Sizes, int(size))
	}
	for _, text := range f.pin {
		cpu, err := strconv.Atoi(text)
		if err != nil || cpu < 0 {
			return cfg, fmt.Errorf("--pin %s: the number of a CPU", text)
		}
		cfg.Pin = append(cfg.Pin, cpu)
	}
	if f.quick {
		cfg.Budget = quickBudget
	}
	var err error
	cfg.Bin, err = binFolder()
	return cfg.Defaults(), err
}

// selection is every row that is asked for.
func (f *benchmarkFlags) selection(cfg measure.Config) ([]measure.Row, error) {
	only, err := regexp.Compile(f.only)
	if err != nil {
		return nil, fmt.Errorf("--only %s: %w", f.only, err)
	}
	rows := slices.Concat(transfer.Rows(cfg), rpccost.Rows(cfg), callcost.Rows(cfg), lockcost.Rows(cfg))
	for _, e := range all() {
		if e.Rows != nil {
			rows = append(rows, e.Rows(cfg)...)
		}
	}
	rows = slices.DeleteFunc(rows, func(r measure.Row) bool {
		return !only.MatchString(r.Name) && !only.MatchString(r.Group)
	})
	if len(rows) == 0 {
		return nil, fmt.Errorf("--only %s: no row has such a name; --list shows them with --all", f.only)
	}
	if !cfg.Quick {
		return rows, nil
	}
	main := slices.DeleteFunc(slices.Clone(rows), func(r measure.Row) bool { return r.Detail })
	if len(main) > 0 {
		return main, nil
	}
	for i := range rows { // they were asked for by name
		rows[i].Detail = false
	}
	return rows, nil
}

// measure runs the rows and writes the results.
func (f *benchmarkFlags) measure(cmd *cobra.Command, rows []measure.Row, cfg measure.Config) error {
	// Before the work, so that a folder that is not there costs no minutes.
	out, finish, err := f.destination(cmd.OutOrStdout())
	if err != nil {
		return err
	}
	results, err := measure.Run(cmd.Context(), rows, cfg, report.Progress(os.Stderr))
	if err == nil {
		err = formats[f.format](out, results)
	}
	if err = finish(err); err != nil {
		return err
	}
	if bad := results.Failures(); len(bad) > 0 {
		var names []string
		for _, r := range bad {
			names = append(names, r.Name)
		}
		return fmt.Errorf("%d of %d rows failed: %s", len(bad), len(rows), strings.Join(names, ", "))
	}
	return nil
}

// destination is where the results go. A file takes its name in finish only, and
// only if there was no error.
func (f *benchmarkFlags) destination(stdout io.Writer) (out io.Writer, finish func(error) error, err error) {
	if f.output == "" {
		return stdout, func(err error) error { return err }, nil
	}
	file, err := os.CreateTemp(filepath.Dir(f.output), "."+filepath.Base(f.output)+"-")
	if err != nil {
		return nil, nil, err
	}
	return file, func(err error) error {
		err = errors.Join(err, file.Chmod(0o644), file.Close())
		if err != nil {
			return errors.Join(err, os.Remove(file.Name()))
		}
		return os.Rename(file.Name(), f.output)
	}, nil
}
