package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/mutants"
	"unpipc/projects/internal/script"
)

// verifyMutants shows each mutant, its mistake, and what refused it.
func verifyMutants(ctx context.Context, w io.Writer, chosen []*exercise.Exercise, jobs int) (good bool, err error) {
	root, err := sourceFolder()
	if err != nil {
		return false, err
	}
	type row struct {
		of        *exercise.Exercise
		good      string // the folder of the reference
		mutant    mutants.Mutant
		refusedBy string
		bad       bool
	}
	var rows []row
	for _, e := range chosen {
		all, err := mutants.Load(filepath.Join(root, "projects", e.Folder, "ref"))
		if err != nil {
			return false, err
		}
		if len(all) == 0 {
			continue
		}
		bin, err := builtPrograms(e, true)
		if err != nil {
			return false, err
		}
		for _, m := range all {
			rows = append(rows, row{of: e, good: bin, mutant: m})
		}
	}
	if len(rows) == 0 {
		return false, errors.New("there are no mutants")
	}
	err = inParallel(ctx, len(rows), jobs, func(ctx context.Context, i int) error {
		r := &rows[i]
		section, err := refusal(ctx, root, r.of, r.mutant, r.good)
		r.refusedBy = r.mutant.Script + ": " + section
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			r.bad, r.refusedBy = true, err.Error()
		case section == "":
			r.bad, r.refusedBy = true, "NOT REFUSED"
		case section != r.mutant.Section:
			r.bad, r.refusedBy = true, r.refusedBy+"\ninstead of: "+r.mutant.Section
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	tab := table.NewWriter()
	tab.SetStyle(table.StyleLight)
	tab.Style().Options.SeparateRows = true
	tab.AppendHeader(table.Row{"", "N", "Mutant", "Mistake", "Refused by"})
	tab.SetColumnConfigs([]table.ColumnConfig{
		{Number: 4, WidthMax: 44, WidthMaxEnforcer: text.WrapSoft},
		{Number: 5, WidthMax: 50, WidthMaxEnforcer: text.WrapSoft},
	})
	refused := 0
	for _, r := range rows {
		mark := "ok"
		if r.bad {
			mark = "FAIL"
		} else {
			refused++
		}
		tab.AppendRow(table.Row{mark, r.of.Arg(), r.mutant.Name, r.mutant.Mistake, r.refusedBy})
	}
	fmt.Fprintf(w, "%s\n%d of %d refused as they should be\n", tab.Render(), refused, len(rows))
	return refused == len(rows), nil
}

// refusal builds a mutant and plays the script that is to refuse it. It gives the title of
// the first section that fails, "" if none does.
func refusal(ctx context.Context, root string, e *exercise.Exercise, m mutants.Mutant, good string) (section string, err error) {
	dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-mutant-", os.Getpid()))
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	bin, err := m.Build(ctx, root, e.Folder, good, dir)
	if err != nil {
		return "", err
	}
	played, err := script.PlayToFailure(e.Scripts, "testdata/"+m.Script+".txtar", bin)
	if err != nil {
		return "", err
	}
	for i := range played.Sections {
		if s := &played.Sections[i]; !s.OK() {
			return title(s), nil
		}
	}
	return "", nil
}

// sourceFolder is the folder of the Makefile: the one above this program, or the one that
// the user is in.
func sourceFolder() (string, error) {
	bin, err := binFolder()
	if err != nil {
		return "", err
	}
	for _, dir := range []string{filepath.Dir(bin), "."} {
		if _, err := os.Stat(filepath.Join(dir, "projects", "ipc_suite")); err == nil {
			return filepath.Abs(dir)
		}
	}
	return "", fmt.Errorf("%s: no sources above it, nor in the current folder, to make mutants of", bin)
}
