package p09reclock

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Demo shows two processes that lock keys of one store.
type Demo struct {
	Path     string
	Programs [2]string // what the processes run: kvstore, in whichever language
	Out      io.Writer
}

// holder is a process that runs [Store.Hold].
type holder struct {
	number int
	cmd    *exec.Cmd
	in     io.WriteCloser
	answer chan string // closed at its end
}

// start starts both.
func (d *Demo) start(ctx context.Context) (pair [2]*holder, stop func() error, err error) {
	ctx, cancel := context.WithCancel(ctx)
	stop = func() error {
		var failed error
		for _, h := range pair {
			if h == nil {
				continue
			}
			_ = h.in.Close()
			for range h.answer {
			}
			if err := h.cmd.Wait(); err != nil && failed == nil {
				failed = fmt.Errorf("process %d: %w", h.number, err)
			}
		}
		cancel()
		return failed
	}
	for i := range pair {
		h := &holder{number: i + 1, answer: make(chan string, 16)}
		h.cmd = exec.CommandContext(ctx, d.Programs[i], "--db", d.Path, "hold")
		h.cmd.Stderr = os.Stderr
		h.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		var out io.ReadCloser
		if h.in, err = h.cmd.StdinPipe(); err == nil {
			out, err = h.cmd.StdoutPipe()
		}
		if err == nil {
			err = h.cmd.Start()
		}
		if err != nil {
			cancel()
			return pair, stop, err
		}
		go func() {
			defer close(h.answer)
			for lines := bufio.NewScanner(out); lines.Scan(); {
				h.answer <- lines.Text()
			}
		}()
		pair[i] = h
	}
	return pair, stop, nil
}

func (h *holder) tell(verb, key string) error {
	_, err := fmt.Fprintln(h.in, verb, key)
	return err
}

// hears takes its next answer, which must be this one.
func (h *holder) hears(ctx context.Context, verb, key string) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case got, ok := <-h.answer:
		if !ok {
			return fmt.Errorf("process %d has ended", h.number)
		}
		if got != verb+" "+key {
			return fmt.Errorf("process %d: %q instead of %q", h.number, got, verb+" "+key)
		}
		return nil
	}
}

// does is tell and hears.
func (h *holder) does(ctx context.Context, verb, key, answer string) error {
	if err := h.tell(verb, key); err != nil {
		return err
	}
	return h.hears(ctx, answer, key)
}

// step is one line of a demonstration: something to do, and what to say then.
type step struct {
	do  func() error
	say string
}

func (d *Demo) run(steps []step) error {
	for _, s := range steps {
		if s.do != nil {
			if err := s.do(); err != nil {
				return err
			}
		}
		if s.say != "" {
			fmt.Fprintln(d.Out, s.say)
		}
	}
	return nil
}

// Locks has one process hold a key's lock for a time while the other one waits for it.
func (d *Demo) Locks(ctx context.Context, key string, hold time.Duration) (err error) {
	pair, stop, err := d.start(ctx)
	defer func() {
		if e := stop(); err == nil {
			err = e
		}
	}()
	if err != nil {
		return err
	}
	one, two := pair[0], pair[1]
	return d.run([]step{
		{func() error { return one.does(ctx, "lock", key, "locked") }, "Process 1: Acquired write lock on " + key},
		{func() error { return two.does(ctx, "lock", key, "waiting") }, "Process 2: Waiting for lock..."},
		{nil, "(Process 1 holds lock for " + seconds(hold) + ")"},
		{func() error {
			select {
			case <-time.After(hold):
				return nil
			case got := <-two.answer:
				return fmt.Errorf("process 2: %q while process 1 holds the lock", got)
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}, ""},
		{func() error { return one.does(ctx, "unlock", key, "unlocked") }, "Process 1: Released lock"},
		{func() error { return two.hears(ctx, "locked", key) }, "Process 2: Acquired write lock on " + key},
	})
}

func seconds(d time.Duration) string {
	if d == time.Second {
		return "1 second"
	}
	return fmt.Sprintf("%g seconds", d.Seconds())
}

// Deadlock has each of two processes hold a key and want the other's. The kernel refuses
// one of them, which gives up what it has and begins again.
func (d *Demo) Deadlock(ctx context.Context, keys [2]string) (err error) {
	pair, stop, err := d.start(ctx)
	defer func() {
		if e := stop(); err == nil {
			err = e
		}
	}()
	if err != nil {
		return err
	}
	say := func(format string, args ...any) { fmt.Fprintf(d.Out, format+"\n", args...) }
	for i, h := range pair {
		if err := h.does(ctx, "lock", keys[i], "locked"); err != nil {
			return err
		}
		say("Process %d: Acquired write lock on %s", h.number, keys[i])
	}
	for i, h := range pair {
		if err := h.does(ctx, "lock", keys[1-i], "waiting"); err != nil {
			return err
		}
		say("Process %d: Waiting for %s...", h.number, keys[1-i])
	}
	// Whoever came to the kernel last closed the cycle.
	var loser int
	var got string
	select {
	case got = <-pair[0].answer:
	case got = <-pair[1].answer:
		loser = 1
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	refused, other, wanted, has := pair[loser], pair[1-loser], keys[1-loser], keys[loser]
	if got != "deadlock "+wanted {
		return fmt.Errorf("process %d: %q, no deadlock was detected", refused.number, got)
	}
	return d.run([]step{
		{nil, fmt.Sprintf("Process %d: Deadlock detected on %s (EDEADLK)", refused.number, wanted)},
		{func() error { return refused.does(ctx, "unlock", has, "unlocked") }, fmt.Sprintf("Process %d: Released %s", refused.number, has)},
		{func() error { return other.hears(ctx, "locked", has) }, fmt.Sprintf("Process %d: Acquired write lock on %s", other.number, has)},
		{func() error { return other.does(ctx, "unlock", has, "unlocked") }, ""},
		{func() error { return other.does(ctx, "unlock", wanted, "unlocked") }, fmt.Sprintf("Process %d: Released %s and %s", other.number, wanted, has)},
		{func() error { return refused.does(ctx, "lock", has, "locked") }, fmt.Sprintf("Process %d: Retried, acquired write lock on %s", refused.number, has)},
		{func() error { return refused.does(ctx, "lock", wanted, "locked") }, fmt.Sprintf("Process %d: Retried, acquired write lock on %s", refused.number, wanted)},
		{nil, "Deadlock detected, reported and retried: both processes got both keys"},
	})
}
