// Command test_myrwlock tries the read-write lock with readers and writers.
package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p08rwlock"
)

func main() {
	p08rwlock.Role()
	p08rwlock.Worker()
	p := cli.New("test_myrwlock", "",
		"Readers and writers share a read-write lock made of a mutex and condition variables.\n"+
			"The statistics at the end say whether the data under the lock were always right, and\n"+
			"whether anybody starved: waited for more than half of the test while the others took\n"+
			"the lock three times each.",
		"  test_myrwlock --readers=10 --writers=3 --duration=10s\n"+
			"  test_myrwlock --policy=reader --pause=0s --duration=2s\n"+
			"  test_myrwlock --shared=/lock --readers=1 & test_myrwlock --shared=/lock --processes")
	t := p08rwlock.Test{Out: os.Stdout}
	p.IntVar(&t.Readers, "readers", 10, "number of readers")
	p.IntVar(&t.Writers, "writers", 3, "number of writers")
	p.DurationVar(&t.Duration, "duration", 10*time.Second, "how long: 10s, 500ms, 2m")
	policy := p.String("policy", "", "whom the lock prefers: reader, writer or fair (default fair, or as those who are joined have it)")
	p.DurationVar(&t.Hold, "hold", time.Millisecond, "how long each holds the lock")
	p.DurationVar(&t.Pause, "pause", 5*time.Millisecond, "how long each is without it")
	p.IntVar(&t.Events, "events", 40, "how many events to print; -1: all")
	quiet := p.Bool("quiet", false, "print no events")
	p.BoolVar(&t.Processes, "processes", false, "each reader and writer is a process")
	p.StringVar(&t.Shared, "shared", "", "put the lock into the shared memory object of this name, or join those who use it")
	p.ParseFlags(os.Args[1:])
	if t.Readers < 0 || t.Writers < 0 || t.Readers+t.Writers < 1 || t.Readers+t.Writers > p08rwlock.MaxWorkers {
		p.BadUsage("--readers and --writers are 1 to %d together", p08rwlock.MaxWorkers)
	}
	if t.Duration <= 0 || t.Hold < 0 || t.Pause < 0 {
		p.BadUsage("--duration is more than 0, --hold and --pause are not less")
	}
	if p.Changed("policy") {
		var err error
		if t.Policy, err = p08rwlock.ParsePolicy(*policy); err != nil {
			p.BadUsage("--policy: %v", err)
		}
	}
	if *quiet {
		t.Events = 0
	}
	// A write to a closed standard output must not end a process that holds the lock.
	signal.Ignore(syscall.SIGPIPE)
	err := t.Run(cli.UntilSignal())
	if errors.Is(err, p08rwlock.ErrFailed) {
		os.Exit(cli.Failed) // the statistics have said it
	}
	p.Exit(err)
}
