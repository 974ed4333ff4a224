package p08rwlock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"unpipc/gobind/process"
	"unpipc/projects/internal/cli"
)

// workerArgument as first argument makes test_myrwlock one of the processes of a test.
const workerArgument = "rwlock-worker"

// What such a process finds at these descriptors.
const (
	boardFd = 3
	tallyFd = 4
)

// runProcesses runs the workers in processes of their own. When ctx ends, or one of them
// has failed, the others are told to end.
func (t *Test) runProcesses(ctx context.Context, board, fd int, tally *tally) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	begun := make(chan struct{})
	stopped := context.AfterFunc(ctx, func() {
		defer close(begun)
		tally.start(now()) // or those who wait for it would not end
	})
	defer func() {
		if !stopped() {
			<-begun
		}
	}()
	var children []*process.Process
	var failure error
	for i := range t.Readers + t.Writers {
		args, err := t.workerArgs(i)
		if err == nil {
			var child *process.Process
			child, err = process.Start(&process.Cmd{
				Path: "/proc/self/exe", Args: args, Files: []int{0, 1, 2, board, fd},
			})
			children = append(children, child)
		}
		if err != nil {
			children = children[:i]
			failure = err
			stop()
			break
		}
	}
	ended := make(chan error)
	for i, child := range children {
		go func() { ended <- t.waitFor(ctx, i, child) }()
	}
	for range children {
		if err := <-ended; err != nil {
			failure = errors.Join(failure, err)
			stop()
		}
	}
	return failure
}

func (t *Test) workerArgs(i int) ([]string, error) {
	told, err := json.Marshal(t)
	return []string{os.Args[0], workerArgument, strconv.Itoa(os.Getpid()), strconv.Itoa(i), string(told)}, err
}

// waitFor waits for the end of a worker, and tells it to end when ctx does.
func (t *Test) waitFor(ctx context.Context, i int, child *process.Process) error {
	told := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(told)
		_ = child.Signal(unix.SIGTERM) // unless it has ended
	})
	status, err := child.Wait()
	if !stop() {
		<-told
	}
	w := t.worker(i, nil, nil)
	switch {
	case err != nil:
		return err
	case status == 0, ctx.Err() != nil && status.Signal() == syscall.SIGTERM:
		return nil
	}
	return fmt.Errorf("%v %d, process %d: %v", w.kind, w.number, child.Pid(), status)
}

// Worker is to be called first in main: it returns at once, unless this process was
// started as one of the processes of a test; then it is that and exits.
func Worker() {
	if len(os.Args) == 5 && os.Args[1] == workerArgument {
		err := work(os.Args[2], os.Args[3], os.Args[4])
		if err != nil {
			fmt.Fprintf(os.Stderr, "test_myrwlock: %v\n", err)
			os.Exit(cli.Failed)
		}
		os.Exit(cli.OK)
	}
}

func work(parent, index, told string) error {
	// Nobody is left behind when the parent is killed, and the lock is given back.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGTERM), 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	ctx := cli.UntilSignal()
	if strconv.Itoa(os.Getppid()) != parent {
		return nil
	}
	t := Test{Out: os.Stdout}
	if err := json.Unmarshal([]byte(told), &t); err != nil {
		return err
	}
	i, err := strconv.Atoi(index)
	if err != nil {
		return err
	}
	b, err := mapBoard(boardFd, 0)
	if err != nil {
		return err
	}
	tally, err := mapTally(tallyFd, t.Readers+t.Writers)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { tally.start(now()) })
	tally.awaitStart(t.Readers+t.Writers, t.Duration)
	ctx, cancel := until(ctx, tally.end)
	defer cancel()
	return t.worker(i, b, tally).run(ctx)
}
