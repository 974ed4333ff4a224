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
	var count [2]int
	p.IntVar(&count[p07prodcons.Producer], "producers", 0, "threads that produce")
	p.IntVar(&count[p07prodcons.Consumer], "consumers", 0, "threads that consume")
	quiet := p.Bool("quiet", false, "print no line for an item")
	turn := p.Int("turn", 1, "items that a thread may move before it lets others in")
	patience := p.Int("patience", 10, "seconds to wait for the run to be there")
	p.Parse(os.Args[1:])
	if p.NArg() != 1 {
		p.BadUsage("takes the name of a run")
	}
	for _, n := range count {
		if n < 0 || n > 500 {
			p.BadUsage("%d threads of a kind are not from 0 to 500", n)
		}
	}
	if *turn < 1 || *turn > 1e6 {
		p.BadUsage("--turn: %d is not from 1 to 1000000", *turn)
	}
	if count == [2]int{} || *patience < 0 || *patience > 3600 {
		p.BadUsage("nobody to join, or no such time")
	}
	signal.Ignore(syscall.SIGPIPE)
	p.Exit(p07prodcons.Join(p.Arg(0), count, *quiet, *turn, time.Duration(*patience)*time.Second))
}
