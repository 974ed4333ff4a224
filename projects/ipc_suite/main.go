// Command ipc_suite is the one command over all exercises: it lists them, plays
// them, compares Go with C, checks the reader's own programs, measures every
// mechanism, and looks after the machine they run on.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"unpipc/projects/internal/callcost"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/lockcost"
	"unpipc/projects/internal/rpccost"
	"unpipc/projects/internal/transfer"
	"unpipc/projects/ipc_suite/stress"
)

// usageError is an error of the command line: exit status 2.
type usageError struct{ error }

// errSilent fails without a further message: what is wrong has been printed.
var errSilent = errors.New("failed")

func main() {
	// Where this process is part of a measurement, these do not return.
	transfer.Role()
	callcost.Role()
	lockcost.Role()
	rpccost.Role()
	stress.Role()
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	root := command()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return cli.OK
	case errors.Is(err, errSilent):
		return cli.Failed
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "ipc_suite: %v\nTry 'ipc_suite --help'.\n", err)
		return cli.Usage
	}
	fmt.Fprintf(os.Stderr, "ipc_suite: %v\n", err)
	return cli.Failed
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "ipc_suite",
		Short: "Every IPC mechanism of UNIX Network Programming, Volume 2: play, compare, verify, measure",
		Example: `  ipc_suite list
  ipc_suite run 1
  ipc_suite verify 2 --bin ~/my-solutions
  ipc_suite benchmark --all --quick
  ipc_suite stress --all --duration 60s`,
		SilenceErrors: true,
		SilenceUsage:  true,
		// A command that does not exist is an error, not a reason for the help.
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q", args[0])}
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(listCommand(), runCommand(), compareCommand(), verifyCommand(),
		benchmarkCommand(), compareRunsCommand(), reportCommand(), chooseCommand(), stressCommand(), doctorCommand(), cleanCommand())
	return root
}

// exerciseArg takes the number of an exercise as the only argument.
func exerciseArg(args []string) (*exercise.Exercise, error) {
	if len(args) != 1 {
		return nil, usageError{fmt.Errorf("expected one exercise (4, lecture-4), got %d arguments", len(args))}
	}
	for _, e := range all() {
		if e.Arg() == args[0] {
			return e, nil
		}
	}
	return nil, usageError{fmt.Errorf("there is no exercise %q; 'ipc_suite list' shows those there are", args[0])}
}

// binFolder is the folder of this program, where "make build" puts the others.
func binFolder() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.Dir(self), nil
}

// builtPrograms is the folder with an exercise's Go or C programs.
func builtPrograms(e *exercise.Exercise, inC bool) (string, error) {
	bin, err := binFolder()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(bin, e.Bin())
	if inC {
		dir = filepath.Join(dir, "ref")
	}
	if missing := e.Missing(dir); len(missing) > 0 {
		return "", fmt.Errorf("%s: no program %s (make build)", dir, missing[0])
	}
	return dir, nil
}
