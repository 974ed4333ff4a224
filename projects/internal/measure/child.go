package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/process"
)

// Command is a program of a run. Its standard input is empty, its standard output
// and error are collected.
type Command struct {
	Name  string // in errors; "": the program's
	Args  []string
	Env   []string // nil: this process's
	Files []int    // descriptors 3, 4, … of the program
	// Started is called when the program runs, to close what now only it needs.
	// May be nil.
	Started func()
}

// Child is a running program with a watchdog: at the end of the context it was
// started with, its process group is killed.
type Child struct {
	name     string
	process  *process.Process
	ctx      context.Context
	out, err *os.File // in memory, so that no child ever waits for a reader
}

// Start starts a program in a process group of its own. place is its number among
// the programs of the run, which chooses its CPU of cfg.Pin.
func Start(ctx context.Context, cfg *Config, place int, cmd Command) (*Child, error) {
	c := &Child{name: cmd.Name, ctx: ctx}
	if c.name == "" {
		c.name = filepath.Base(cmd.Args[0])
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	if c.out, err = memory("stdout"); err != nil {
		return nil, err
	}
	if c.err, err = memory("stderr"); err != nil {
		c.out.Close()
		return nil, err
	}
	spec := &process.Cmd{
		Args: cmd.Args, Env: cmd.Env, Group: new(int), DefaultSignals: true,
		Files: append([]int{int(null.Fd()), int(c.out.Fd()), int(c.err.Fd())}, cmd.Files...),
	}
	err = placed(cfg, place, func() error {
		c.process, err = process.Start(spec)
		return err
	})
	if err != nil {
		c.out.Close()
		c.err.Close()
		return nil, err
	}
	if cmd.Started != nil {
		cmd.Started()
	}
	return c, nil
}

// Output is what the program has written to its standard output so far.
func (c *Child) Output() string { return written(c.out) }

// Pid is the program's process id, its own until Wait returns.
func (c *Child) Pid() int { return c.process.Pid() }

// Signal sends a signal to the program.
func (c *Child) Signal(sig unix.Signal) error { return c.process.Signal(sig) }

// Await waits until what a server has written to its standard output makes it ready. It
// fails when the server or the context ends first.
func (c *Child) Await(ready func(output string) bool) error {
	for !ready(c.Output()) {
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		if c.ended() {
			return errors.New("the server has ended")
		}
		time.Sleep(100 * time.Microsecond)
	}
	return nil
}

// ended says that the program is there no more, but for its status.
func (c *Child) ended() bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, c.Pid(), &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == nil && info.Signo != 0
}

// Stop ends a server by SIGTERM, and is its Wait.
func (c *Child) Stop() error {
	_ = c.Signal(unix.SIGTERM)
	_, err := c.Wait()
	return err
}

// Wait waits for the end and returns the standard output. An exit status other
// than 0 is an error with what the program said on its standard error; the end of
// the context is one with its cause. Wait must be called once for every Child.
func (c *Child) Wait() (string, error) {
	defer c.out.Close()
	defer c.err.Close()
	pid := c.process.Pid()
	status, err := c.process.WaitContext(c.ctx)
	if err != nil {
		// It has not been waited for, so its number is still its own.
		_ = unix.Kill(-pid, unix.SIGKILL)
		_, waitErr := c.process.Wait()
		return "", errors.Join(fmt.Errorf("%s: %w", c.name, err), waitErr)
	}
	// What it started and left behind ends with it; while any of that is there,
	// the number of the group is not given to another.
	_ = unix.Kill(-pid, unix.SIGKILL)
	if said := strings.TrimSpace(written(c.err)); status != 0 && said != "" {
		return "", fmt.Errorf("%s: %s", c.name, strings.TrimPrefix(said, c.name+": "))
	} else if status != 0 {
		return "", fmt.Errorf("%s: %v", c.name, status)
	}
	return written(c.out), nil
}

// Together runs programs that need each other and returns their standard outputs.
// When one fails the others are killed soon; the error tells what each one that
// ended by itself had to say, for it is seldom the first to end that knows why.
func Together(ctx context.Context, cfg *Config, cmds ...Command) ([]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var children []*Child
	var failure error
	for i, cmd := range cmds {
		c, err := Start(ctx, cfg, i, cmd)
		if err != nil {
			failure = err
			cancel(errStopped)
			break
		}
		children = append(children, c)
	}
	outputs := make([]string, len(cmds))
	ended := make(chan error)
	for i, c := range children {
		go func() {
			var err error
			outputs[i], err = c.Wait()
			ended <- err
		}()
	}
	for range children {
		err := <-ended
		if err == nil || errors.Is(err, errStopped) {
			continue
		}
		failure = errors.Join(failure, err)
		defer time.AfterFunc(grace, func() { cancel(errStopped) }).Stop()
	}
	return outputs, failure
}

// grace is how long a program may outlive one that failed.
const grace = 100 * time.Millisecond

// errStopped ends the children whose peer has failed.
var errStopped = errors.New("stopped")

// memory is an anonymous file. See memfd_create(2).
func memory(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

func written(f *os.File) string {
	var b strings.Builder
	// The offset is shared with the child, which is to keep it.
	if _, err := io.Copy(&b, io.NewSectionReader(f, 0, 1<<62)); err != nil {
		return ""
	}
	return b.String()
}
