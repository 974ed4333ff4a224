package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/lockcost"
	"unpipc/projects/ipc_suite/stress"
)

func cleanCommand() *cobra.Command {
	dryRun := false
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "List, then remove, what killed programs of this project left behind",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return clean(cmd.OutOrStdout(), dryRun)
		},
	}
	cmd.Flags().BoolVarP(&dryRun, "dry-run", "n", false, "list only")
	return cmd
}

func clean(w io.Writer, dryRun bool) error {
	left, err := scratchFolders()
	if err != nil {
		return err
	}
	more, err := lockcost.Leftovers()
	if err != nil {
		return err
	}
	left = append(left, more...)
	if more, err = stress.Leftovers(); err != nil {
		return err
	}
	left = append(left, more...)
	for _, e := range all() {
		if e.Leftovers == nil {
			continue
		}
		more, err := e.Leftovers()
		if err != nil {
			return fmt.Errorf("%s: %w", e.Heading(), err)
		}
		left = append(left, more...)
	}
	for _, l := range left {
		fmt.Fprintf(w, "%s (%s)\n", l.Name, l.Why)
	}
	if len(left) == 0 {
		fmt.Fprintln(w, "nothing was left behind")
		return nil
	}
	if dryRun {
		fmt.Fprintf(w, "%d objects, none removed\n", len(left))
		return nil
	}
	var failed error
	removed := 0
	for _, l := range left {
		if err := l.Remove(); err != nil && !errors.Is(err, os.ErrNotExist) {
			failed = errors.Join(failed, err)
			continue
		}
		removed++
	}
	fmt.Fprintf(w, "%d objects, %d removed\n", len(left), removed)
	return failed
}

// scratch is the name of a folder that a process with this number works in.
var scratch = regexp.MustCompile(`^unpipc-(\d+)-`)

// scratchFolders are those in the temporary folder whose process is gone.
func scratchFolders() ([]exercise.Leftover, error) {
	entries, err := os.ReadDir(os.TempDir())
	if err != nil {
		return nil, err
	}
	var left []exercise.Leftover
	for _, e := range entries {
		m := scratch.FindStringSubmatch(e.Name())
		if m == nil || !e.IsDir() {
			continue
		}
		pid, err := strconv.Atoi(m[1])
		if err != nil || !errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			continue
		}
		path := filepath.Join(os.TempDir(), e.Name())
		left = append(left, exercise.Leftover{
			Name:   path,
			Why:    fmt.Sprintf("process %d is gone", pid),
			Remove: func() error { return os.RemoveAll(path) },
		})
	}
	return left, nil
}
