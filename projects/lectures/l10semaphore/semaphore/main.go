// Command semaphore tests a semaphore that is made of a mutex and a condition variable.
package main

import (
	"context"
	"errors"
	"os"

	"unpipc/gobind/sysvshm"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
	"unpipc/projects/lectures/l10semaphore"
)

func main() {
	p := cli.New("semaphore", "",
		"Lets threads get and put a semaphore that is made of a mutex and a condition variable,\n"+
			"in System V shared memory, and verifies that never more have it than its value.",
		"  semaphore\n  semaphore --outside 1 & semaphore --join")
	key := lecture.KeyFlag(p, 10)
	threads := p.Int("threads", 10, "`number` of threads")
	value := p.Int("value", 5, "how many may have it at a time")
	rounds := p.Int("rounds", 1000, "how often each thread gets it")
	outside := p.Int("outside", 0, "`number` of processes with --join to wait for before it starts")
	join := p.Bool("join", false, "use the semaphore of another process; that one verifies")
	p.ParseFlags(os.Args[1:])
	switch {
	case *threads < 1 || *threads > 1000:
		p.BadUsage("--threads must be from 1 to 1000")
	case *value < 1 || *value > 1e6:
		p.BadUsage("--value must be from 1 to 1000000")
	case *outside < 0 || *outside > 1000 || *outside > 0 && *join:
		p.BadUsage("--outside must be from 0 to 1000, without --join")
	case *rounds < 1 || *rounds > 1e9:
		p.BadUsage("--rounds must be from 1 to 1000000000")
	}
	ctx := cli.UntilSignal()
	k, err := key()
	if err == nil && *join {
		err = take(ctx, k, *threads, *rounds)
	} else if err == nil {
		err = test(ctx, k, *threads, *value, *rounds, *outside)
	}
	p.Exit(err)
}

func test(ctx context.Context, key sysvshm.Key, threads, value, rounds, outside int) (err error) {
	segment, memory, err := lecture.MakeSegment("lecture-10", key, l10semaphore.Size)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, segment.Remove()) }()
	s, err := l10semaphore.Make(memory, value)
	if err != nil {
		return err
	}
	if err := lecture.Say("%d threads, semaphore of %d\n", threads, value); err != nil {
		return err
	}
	if err := s.Open(ctx, outside); err != nil {
		return err
	}
	if err := s.Contend(ctx, threads, rounds); err != nil {
		return err
	}
	most, err := s.Verify(ctx)
	if err != nil {
		return err
	}
	return lecture.Say("at most %d had it at once, and %d can be had again. PASS\n", most, value)
}

func take(ctx context.Context, key sysvshm.Key, threads, rounds int) error {
	segment, err := sysvshm.Get(key, l10semaphore.Size, 0)
	if err != nil {
		return err
	}
	memory, err := segment.Attach(0)
	if err != nil {
		return err
	}
	s, err := l10semaphore.At(memory)
	if err != nil {
		return err
	}
	if err := s.Join(ctx); err != nil {
		return err
	}
	defer s.Leave()
	if err := s.Contend(ctx, threads, rounds); err != nil {
		return err
	}
	return lecture.Say("%d threads, semaphore of another process\n", threads)
}
