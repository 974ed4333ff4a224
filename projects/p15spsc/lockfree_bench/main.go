// Command lockfree_bench compares a queue without locks with one that has a mutex and
// one that has semaphores.
package main

import (
	"fmt"
	"os"
	"strings"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p15spsc"
)

func main() {
	if len(os.Args) > 1 { // as one of the two processes of a measurement
		switch os.Args[1] {
		case "producer":
			p15spsc.ProducerMain(os.Args[2:])
		case "consumer":
			p15spsc.ConsumerMain(os.Args[2:])
		}
	}
	p := cli.New("lockfree_bench", "",
		"Sends numbers through a queue in shared memory, each checked at the other end: without\n"+
			"locks, and, with a tenth as many, with a mutex and with semaphores. The latency is that of\n"+
			"a write into a queue with room, one each microsecond.",
		"  lockfree_bench --iterations=100M\n"+
			"  lockfree_bench --iterations=10M --threads --variants")
	iterations := p.String("iterations", "10M", "operations: 1000, 10K, 100M")
	capacity := p.Int("capacity", p15spsc.DefaultCapacity, "slots, a power of two")
	kinds := p15spsc.Kinds()[:p15spsc.Mutex]
	kind := p.String("kind", p15spsc.Cached.String(), "the lock-free queue: "+strings.Join(kinds, ", "))
	threads := p.Bool("threads", false, "between two threads instead of two processes")
	variants := p.Bool("variants", false, "show what each step brings")
	p.Parse(os.Args[1:])
	if p.NArg() > 0 {
		p.BadUsage("unexpected argument %q", p.Arg(0))
	}
	plan := p15spsc.Plan{Capacity: *capacity, Threads: *threads, Variants: *variants, Self: []string{"/proc/self/exe"}}
	var err error
	if plan.Iterations, err = cli.ParseCount(*iterations); err != nil {
		p.BadUsage("--iterations: %v", err)
	}
	if plan.Kind, err = p15spsc.ParseKind(*kind); err == nil && plan.Kind >= p15spsc.Mutex {
		err = fmt.Errorf("%q is a queue with locks", *kind)
	}
	if err != nil {
		p.BadUsage("--kind: %v", err)
	}
	if err := p15spsc.CheckCapacity(*capacity); err != nil {
		p.BadUsage("--capacity: %v", err)
	}
	p.Exit(p15spsc.Report(cli.UntilSignal(), os.Stdout, &plan))
}
