// Command pc_join takes part in a run of producer_consumer from another process.
package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p07prodcons"
)

func main() {
	p := cli.New("pc_join", "NAME",
		"Adds producers and consumers to the run of producer_consumer whose shared memory has\n"+
			"this name, until there are no more items.",
		"  producer_consumer --producers=0 --guests=1 --name=/buffer &\n  pc_join --producers=1 /buffer")
	var o p07prodcons.Options
	p.IntVar(&o.Count[p07prodcons.Producer], "producers", 0, "threads that produce")
	p.IntVar(&o.Count[p07prodcons.Consumer], "consumers", 0, "threads that consume")
	p.BoolVar(&o.Quiet, "quiet", false, "print no line for an item")
	p.IntVar(&o.Turn, "turn", 1, "items that a thread may move before it lets others in")
	p.Var(&o.OneCPU, "cpus", "any: the kernel chooses; one: its threads stay on one")
	patience := p.Int("patience", 10, "seconds to wait for the run to be there")
	p.Parse(os.Args[1:])
	if p.NArg() != 1 {
		p.BadUsage("takes the name of a run")
	}
	for _, n := range o.Count {
		if n < 0 || n > 500 {
			p.BadUsage("%d threads of a kind are not from 0 to 500", n)
		}
	}
	if o.Turn < 1 || o.Turn > 1e6 {
		p.BadUsage("--turn: %d is not from 1 to 1000000", o.Turn)
	}
	if o.Count == [2]int{} || *patience < 0 || *patience > 3600 {
		p.BadUsage("nobody to join, or no such time")
	}
	o.Name = p.Arg(0)
	signal.Ignore(syscall.SIGPIPE)
	p.Exit(p07prodcons.Join(o, time.Duration(*patience)*time.Second))
}
