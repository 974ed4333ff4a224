package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/script"
)

func runCommand() *cobra.Command {
	inC := false
	cmd := &cobra.Command{
		Use:     "run N",
		Short:   "Play an exercise's demonstration as a terminal session",
		Example: "  ipc_suite run 1\n  ipc_suite run 1 --c",
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := exerciseArg(args)
			if err != nil {
				return err
			}
			bin, err := builtPrograms(e, inC)
			if err == nil && inC {
				err = demonstratedInC(e)
			}
			if err != nil {
				return err
			}
			t, err := script.Play(e.Scripts, exercise.MainScript, bin)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s (%s)\n\n", e.Heading(), e.Mechanisms)
			t.Session(cmd.OutOrStdout())
			if !t.OK() {
				return errSilent
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&inC, "c", false, "the C references instead of the Go programs")
	return cmd
}

// demonstratedInC is an error if the C references do not play the demonstration.
func demonstratedInC(e *exercise.Exercise) error {
	files, err := e.ScriptFiles(true)
	if err == nil && !slices.Contains(files, exercise.MainScript) {
		err = fmt.Errorf("%s: the C references do not do all of the demonstration; what they do: ipc_suite verify %s --c",
			e.Heading(), e.Arg())
	}
	return err
}
