// Command sem_posix lets ten threads contend for a named POSIX semaphore of value 5.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixsem"
	"unpipc/gobind/pthread"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
	"unpipc/projects/internal/marks"
)

var (
	errEntered = errors.New("end of input or Enter")
	errTooMany = errors.New("more threads have the semaphore than its value")
)

type config struct {
	name                  string
	join                  bool
	threads, value, round int
	hold                  time.Duration
}

func main() {
	p := cli.New("sem_posix", "",
		"Lets threads take a named POSIX semaphore, hold it for a while and put it back, again\n"+
			"and again, until Enter is pressed.",
		"  sem_posix\n  sem_posix --rounds 2 --hold 100 </dev/null\n  sem_posix --join")
	var cfg config
	p.StringVar(&cfg.name, "name", "/my_sem", "the `name` of the semaphore")
	p.BoolVar(&cfg.join, "join", false, "use the semaphore of another sem_posix instead of making it")
	p.IntVar(&cfg.threads, "threads", 10, "`number` of threads")
	p.IntVar(&cfg.value, "value", 5, "how many have it at a time")
	hold := p.Int("hold", 1000, "for how many `ms` each has it")
	p.IntVar(&cfg.round, "rounds", 0, "end when each thread has had it so many times, not at Enter (0: never)")
	p.ParseFlags(os.Args[1:])
	cfg.hold = time.Duration(*hold) * time.Millisecond
	switch {
	case cfg.threads < 1 || cfg.threads > 1000:
		p.BadUsage("--threads must be from 1 to 1000")
	case cfg.value < 1 || cfg.value > math.MaxInt32:
		p.BadUsage("--value must be from 1 to 2147483647")
	case *hold < 0 || *hold > 1e6:
		p.BadUsage("--hold must be from 0 to 1000000")
	case cfg.round < 0 || cfg.round > 1e6:
		p.BadUsage("--rounds must be from 0 to 1000000")
	}
	p.Exit(run(cli.UntilSignal(), cfg))
}

// open opens the semaphore, and returns what is to be done at the end.
func open(cfg config) (sem *posixsem.Sem, remove func(), err error) {
	if cfg.join {
		sem, err = posixsem.Open(cfg.name, 0, 0, 0)
		return sem, func() {}, err
	}
	mark, err := marks.Claim("lecture-12", marks.Semaphore, cfg.name)
	if err != nil {
		return nil, nil, err
	}
	// One that a killed process has left may never have its value again.
	if err = posixsem.Unlink(cfg.name); err == nil || errors.Is(err, fs.ErrNotExist) {
		sem, err = posixsem.Open(cfg.name, unix.O_CREAT|unix.O_EXCL, 0o600, uint(cfg.value))
	}
	if err != nil {
		return nil, nil, errors.Join(err, mark.Remove())
	}
	remove = func() { _, _ = posixsem.Unlink(cfg.name), mark.Remove() }
	if err = mark.RecordFile(marks.SemaphoreFile(cfg.name)); err != nil {
		remove()
	}
	return sem, remove, err
}

func run(ctx context.Context, cfg config) error {
	sem, remove, err := open(cfg)
	if err != nil {
		return err
	}
	defer remove()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	if cfg.round == 0 {
		go func() {
			_, _ = lecture.NewInput(os.Stdin).Line(ctx)
			end(errEntered)
		}()
	}
	var inside atomic.Int32
	threads := make([]*pthread.Thread, cfg.threads)
	for id := range threads {
		threads[id] = pthread.Go(func() {
			for n := 0; cfg.round == 0 || n < cfg.round; n++ {
				if err := take(ctx, sem, id, cfg, &inside); err != nil {
					end(err)
					return
				}
			}
		})
	}
	for _, t := range threads {
		t.Join()
	}
	if err := context.Cause(ctx); !errors.Is(err, errEntered) {
		return err
	}
	return nil
}

func take(ctx context.Context, sem *posixsem.Sem, id int, cfg config, inside *atomic.Int32) error {
	if err := sem.WaitContext(ctx); err != nil {
		return err
	}
	if ctx.Err() != nil { // it was put back by one that has ended
		return errors.Join(context.Cause(ctx), sem.Post())
	}
	n := inside.Add(1)
	err := lecture.Say("Thread %d got the sem\n", id)
	if err == nil && !cfg.join && int(n) > cfg.value {
		err = fmt.Errorf("%w: %d", errTooMany, n)
	}
	if err == nil {
		select {
		case <-ctx.Done():
		case <-time.After(cfg.hold):
		}
	}
	inside.Add(-1)
	return errors.Join(err, sem.Post())
}
