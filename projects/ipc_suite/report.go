package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"unpipc/projects/internal/htmlreport"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/mechanism"
	"unpipc/projects/internal/report"
)

func reportCommand() *cobra.Command {
	var output string
	markdown := false
	cmd := &cobra.Command{
		Use:   "report RESULTS.json",
		Short: "Make a page of a benchmark's results: charts, tables, trade-offs",
		Long: `Makes one HTML file of the results of "benchmark --format json": throughput by message
size, round trips by percentile, locks with one worker to many, Go beside C, every
row as a table, and the trade-offs with the figures of this run. The file needs no
network and no other file. A run of some rows gives a report of those.`,
		Example: `  ipc_suite benchmark --all --format json -o results.json
  ipc_suite report results.json -o report.html
  ipc_suite report results.json --md >report.md`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("expected one file of results")}
			}
			res, err := measure.Load(args[0])
			if err != nil {
				return err
			}
			write := htmlreport.Write
			if markdown {
				write = writeMarkdown
			}
			f := benchmarkFlags{output: output}
			out, finish, err := f.destination(cmd.OutOrStdout())
			if err != nil {
				return err
			}
			return finish(write(out, res))
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write to instead of standard output")
	cmd.Flags().BoolVar(&markdown, "md", false, "Markdown instead of HTML")
	return cmd
}

// writeMarkdown is the trade-offs before the benchmark's own tables.
func writeMarkdown(w io.Writer, res *measure.Results) error {
	if found := mechanism.Findings(res); len(found) > 0 {
		fmt.Fprint(w, "### Trade-offs in this run\n\n")
		for _, f := range found {
			fmt.Fprintf(w, "- **%s.** %s (`%s`)\n", f.Title, f.Text, f.Again)
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	return report.Markdown(w, res)
}
