package main

import (
	"fmt"

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
