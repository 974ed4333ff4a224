// Command producer_consumer runs producers and consumers at one bounded buffer.
package main

import (
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p07prodcons"
)

func main() {
	p := cli.New("producer_consumer", "",
		"Producers put items into a bounded buffer and consumers take them out, with one mutex\n"+
			"and two condition variables. At the end it checks that every item was consumed once\n"+
			"and in its producer's order.",
		"  producer_consumer --producers=3 --consumers=2 --buffer-size=10 --items=1000\n"+
			"  producer_consumer --variant=if --spurious --quiet")
	o := p07prodcons.Options{}
	p.IntVar(&o.Count[p07prodcons.Producer], "producers", 3, "how many produce")
	p.IntVar(&o.Count[p07prodcons.Consumer], "consumers", 2, "how many consume")
	p.IntVar(&o.Capacity, "buffer-size", 10, "items that the buffer holds")
	p.Int64Var(&o.Items, "items", 1000, "items in all")
	p.BoolVar(&o.Quiet, "quiet", false, "print no line for an item")
	variant := p.String("variant", "while", "while; or if, signal, broadcast: see the README")
	p.BoolVar(&o.Spurious, "spurious", false, "wake all that wait every millisecond, for no reason")
	p.BoolVar(&o.Processes, "processes", false, "every producer and consumer is a process")
	p.StringVar(&o.Name, "name", "", "name of the shared memory, for pc_join")
	p.IntVar(&o.Guests, "guests", 0, "producers and consumers that join from elsewhere before it begins")
	p.IntVar(&o.Turn, "turn", 1, "items that a thread may move before it lets others in")
	p.Var(&o.OneCPU, "cpus", "any: the kernel chooses; one: producers and consumers stay on one")
	// For the program itself:
	member, cpu := p.Int("member", -1, ""), p.Int("cpu", -1, "")
	_, _ = p.MarkHidden("member"), p.MarkHidden("cpu")
	p.Parse(os.Args[1:])
	// A write to a closed standard output is an error, not the end without cleaning up.
	signal.Ignore(syscall.SIGPIPE)
	if *member >= 0 {
		p.Exit(p07prodcons.Member(o, *member, *cpu))
	}
	check(p, &o, *variant)
	p.Exit(p07prodcons.Run(cli.UntilSignal(), o, os.Stdout))
}

func check(p *cli.Program, o *p07prodcons.Options, variant string) {
	v := slices.Index(p07prodcons.Variants, variant)
	if v < 0 {
		p.BadUsage("--variant: %q is none of %s", variant, strings.Join(p07prodcons.Variants, ", "))
	}
	o.Variant = p07prodcons.Variant(v)
	for _, limit := range []struct {
		flag         string
		n, low, high int64
	}{
		{"producers", int64(o.Count[0]), 0, 500},
		{"consumers", int64(o.Count[1]), 0, 500},
		{"buffer-size", int64(o.Capacity), 1, 1e6},
		{"items", o.Items, 0, 1e9},
		{"guests", int64(o.Guests), 0, 24},
		{"turn", int64(o.Turn), 1, 1e6},
	} {
		if limit.n < limit.low || limit.n > limit.high {
			p.BadUsage("--%s: %d is not from %d to %d", limit.flag, limit.n, limit.low, limit.high)
		}
	}
	switch {
	case p.NArg() > 0:
		p.BadUsage("takes no arguments")
	case o.Guests == 0 && (o.Count[0] == 0 || o.Count[1] == 0):
		p.BadUsage("no producers or no consumers: nothing would ever end, unless --guests join")
	case o.Guests > 0 && o.Name == "":
		p.BadUsage("--guests: they need a --name to join")
	}
}
