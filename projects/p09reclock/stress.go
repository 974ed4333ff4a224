package p09reclock

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Stress is a test of a store by many processes, some of which are killed all the time.
type Stress struct {
	Path      string
	NoSync    bool
	Programs  [2]string // what workers with even and odd numbers run
	Processes int
	Kills     int
	Duration  time.Duration
	Out       io.Writer
}

// Run starts the processes, kills and replaces them, and verifies that every set that
// returned is there.
func (s *Stress) Run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-stress-", os.Getpid()))
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if s.Path == "" {
		s.Path = filepath.Join(dir, "store")
	}
	fmt.Fprintf(s.Out, "%d processes for %s, %d of them killed\n", s.Processes, seconds(s.Duration), s.Kills)
	// Not while workers are being started: they all begin with a store.
	st, err := Open(s.Path, Options{Create: true})
	if err != nil {
		return err
	}
	if err := st.Close(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	workers := make([]*exec.Cmd, s.Processes)
	verified := make([]io.ReadCloser, s.Processes)
	start := func(i int, more ...string) error {
		w, out, err := s.start(ctx, dir, i, more...)
		workers[i], verified[i] = w, out
		return err
	}
	defer func() {
		cancel(context.Canceled)
		for _, w := range workers {
			if w != nil {
				_ = w.Wait()
			}
		}
	}()
	for i := range workers {
		if err := start(i); err != nil {
			return err
		}
	}
	for range s.Kills {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(s.Duration / time.Duration(s.Kills+1)):
		}
		i := rand.N(s.Processes)
		if err := kill(workers[i], verified[i]); err != nil {
			return err
		}
		if err := start(i); err != nil {
			return err
		}
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(s.Duration / time.Duration(s.Kills+1)):
	}
	for i := range workers {
		if err := kill(workers[i], verified[i]); err != nil {
			return err
		}
		workers[i] = nil
	}
	for i := range workers {
		if err := start(i, "verify"); err != nil {
			return err
		}
	}
	for i, w := range workers {
		workers[i] = nil
		if err := w.Wait(); err != nil {
			return fmt.Errorf("worker %d: %w", i, err)
		}
	}
	return s.report(dir)
}

// start starts a worker.
func (s *Stress) start(ctx context.Context, dir string, i int, more ...string) (*exec.Cmd, io.ReadCloser, error) {
	args := []string{"--db", s.Path, "stress-worker", strconv.Itoa(i), filepath.Join(dir, fmt.Sprint("journal-", i))}
	if s.NoSync {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, s.Programs[i%2], append(args, more...)...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	cmd.Stdout = w
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		_ = r.Close()
		return nil, nil, err
	}
	return cmd, r, nil
}

// kill waits until a worker has verified what it found, and kills it. One that has ended
// by itself has found something wrong.
func kill(w *exec.Cmd, out io.ReadCloser) error {
	line, _ := bufio.NewReader(out).ReadString('\n')
	_ = out.Close()
	_ = w.Process.Kill()
	err := w.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL || line == "" {
		return fmt.Errorf("a worker has ended by itself: %v", err)
	}
	return nil
}

// report counts what the journals have and checks the store.
func (s *Stress) report(dir string) error {
	journals, err := filepath.Glob(filepath.Join(dir, "journal-*"))
	if err != nil {
		return err
	}
	done := 0
	for _, name := range journals {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		done += bytes.Count(text, []byte("="))
	}
	fmt.Fprintf(s.Out, "%d sets and deletions returned\n", done)
	st, err := Open(s.Path, Options{})
	if err != nil {
		return err
	}
	defer st.Close()
	if _, err := st.Check(); err != nil {
		return err
	}
	fmt.Fprintln(s.Out, "The store is whole, and has everything that was set: PASS")
	return nil
}
