package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
)

func listCommand() *cobra.Command {
	markdown := false
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the exercises and the lecture's programs",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			writeList(cmd.OutOrStdout(), markdown)
			return nil
		},
	}
	cmd.Flags().BoolVar(&markdown, "markdown", false, "as the table of the README")
	return cmd
}

func writeList(w io.Writer, markdown bool) {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	if !markdown {
		t.AppendHeader(table.Row{"N", "Exercise", "Book", "Mechanisms", "Programs"})
		for _, e := range all() {
			t.AppendRow(table.Row{e.Arg(), e.Title, e.Book, e.Mechanisms, strings.Join(e.Programs, ", ")})
		}
		fmt.Fprintln(w, t.Render())
		return
	}
	t.AppendHeader(table.Row{"N", "Exercise", "Book", "Mechanisms", "Command", "What to look for"})
	for _, e := range exercises {
		t.AppendRow(table.Row{e.N, fmt.Sprintf("[%s](%s)", e.Title, e.Folder), e.Book, e.Mechanisms,
			fmt.Sprintf("`make project-%d`", e.N), e.Look})
	}
	fmt.Fprintln(w, t.RenderMarkdown())
}

// noArgs refuses arguments with a usage error.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}
