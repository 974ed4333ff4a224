package main

import (
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/script"
)

func verifyCommand() *cobra.Command {
	bin := ""
	cmd := &cobra.Command{
		Use:   "verify N --bin DIR",
		Short: "Check programs of your own, in any language, with an exercise's scripts",
		Long: `Runs every script of an exercise over the programs in a folder, which must have
the names that the exercise gives them, and tells for each thing that is expected
of them whether they do it. Without --bin it checks the programs built here.`,
		Example: "  ipc_suite verify 1 --bin ~/my-solutions",
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := exerciseArg(args)
			if err != nil {
				return err
			}
			dir := bin
			if dir == "" {
				if dir, err = builtPrograms(e, false); err != nil {
					return err
				}
			} else if missing := e.Missing(dir); len(missing) > 0 {
				return fmt.Errorf("%s: no program %s; %s has %s",
					dir, strings.Join(missing, ", "), e.Heading(), strings.Join(e.Programs, ", "))
			}
			ok, err := verify(cmd.OutOrStdout(), e, dir)
			if err == nil && !ok {
				err = errSilent
			}
			return err
		},
	}
	cmd.Flags().StringVar(&bin, "bin", "", "folder with the programs")
	return cmd
}

// verify plays all scripts and writes a verdict for every section.
func verify(w io.Writer, e *exercise.Exercise, bin string) (ok bool, err error) {
	names, err := fs.Glob(e.Scripts, "testdata/*.txtar")
	if err != nil {
		return false, err
	}
	fmt.Fprintf(w, "%s, programs in %s\n", e.Heading(), bin)
	passed, failed := 0, 0
	for _, name := range names {
		t, err := script.Play(e.Scripts, name, bin)
		if err != nil {
			return false, err
		}
		fmt.Fprintf(w, "\n%s\n", strings.TrimSuffix(strings.TrimPrefix(name, "testdata/"), ".txtar"))
		for i := range t.Sections {
			s := &t.Sections[i]
			if s.OK() {
				passed++
				fmt.Fprintf(w, "  ok    %s\n", s.Title)
				continue
			}
			failed++
			fmt.Fprintf(w, "  FAIL  %s\n", s.Title)
			explain(w, s)
		}
	}
	fmt.Fprintf(w, "\n%d passed, %d failed\n", passed, failed)
	return failed == 0 && passed > 0, nil
}

// explain shows a section's steps up to the one that failed.
func explain(w io.Writer, s *script.Section) {
	for _, step := range s.Steps {
		fmt.Fprintf(w, "          > %s\n", step.Line)
		for line := range strings.Lines(script.Printed(step.Output)) {
			fmt.Fprintf(w, "            %s\n", strings.TrimSuffix(line, "\n"))
		}
		if step.Failed != "" {
			fmt.Fprintf(w, "        ! %s\n", step.Failed)
		}
	}
}
