// Command pool_manager makes a pool of connections and gives back what dead workers held.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p10sempool"
)

func main() {
	p := cli.New("pool_manager", "",
		"Makes a pool of connections in shared memory and looks after it until SIGINT or SIGTERM:\n"+
			"what a dead worker held is given back. The pool of a dead manager is taken over.",
		"  pool_manager --max-connections=5 &\n"+
			"  pool_manager --connect tcp://127.0.0.1:6379 --ping PING\n"+
			"  pool_manager --status")
	var m p10sempool.Manager
	p.IntVar(&m.Connections, "max-connections", 5, "how many workers can have one at once, a `number`")
	p.StringVar(&m.Name, "name", p10sempool.DefaultName, "name of the pool")
	p.IntVar(&m.Workers, "workers", 0, "end when this `number` of workers have come and gone")
	connect := p.String("connect", "", "lend connections to this `address`: tcp://HOST:PORT or unix:///PATH")
	ping := p.String("ping", "", "before lending, send a `text` as a line: a line must come back")
	status := p.Bool("status", false, "show who holds and who waits, and end")
	p.Parse(os.Args[1:])
	switch {
	case p.NArg() > 0:
		p.BadUsage("takes no arguments")
	case m.Connections < 1 || m.Connections > p10sempool.MaxConnections:
		p.BadUsage("--max-connections must be from 1 to %d", p10sempool.MaxConnections)
	case p.Changed("workers") && m.Workers < 1:
		p.BadUsage("--workers must be at least 1")
	case !p10sempool.ValidName(m.Name):
		p.BadUsage("--name must begin with a slash and have no other, not %q", m.Name)
	case p.Changed("ping") && *connect == "" || len(*ping) > 500:
		p.BadUsage("--ping is at most 500 bytes and wants --connect")
	}
	if p.Changed("connect") {
		var err error
		if m.Backend, err = p10sempool.ParseBackend(*connect, *ping); err != nil {
			p.BadUsage("--connect: %v", err)
		}
	}
	signal.Ignore(syscall.SIGPIPE) // a write to a closed standard output is an error, not the end
	if *status {
		p.Exit(p10sempool.Status(m.Name, os.Stdout))
	}
	m.Log = os.Stdout
	err := m.Run(cli.UntilSignal())
	if err == p10sempool.ErrWorkersFailed {
		os.Exit(cli.Failed) // it has said so
	}
	p.Exit(err)
}
