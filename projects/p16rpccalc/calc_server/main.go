// Command calc_server is a calculator as a Sun RPC program, over TCP, UDP and Unix sockets.
package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"unpipc/gobind/calc"
	"unpipc/projects/internal/cli"
	"unpipc/projects/p16rpccalc"
)

func main() {
	p := cli.New("calc_server", "",
		"Serves program 0x31230000 of calc.x, versions 1 and 2, until SIGINT or SIGTERM, and is\n"+
			"registered with rpcbind for as long, unless --port says where it is.",
		"  calc_server --transport tcp --port 5001 --bind 127.0.0.1")
	var o p16rpccalc.ServerOptions
	check := o.Flags(p, "tcp,udp", "0.0.0.0")
	p.Uint32Var(&o.Program, "prog", calc.V1.Number, "serve as another program, of this `number`")
	p.IntVar(&o.MaxConnections, "max-connections", 1000, "`number` of connections at a time")
	p.IntVar(&o.MaxRecord, "max-record", 64*1024, "drop who sends a call of more `bytes`")
	idle := p.Float64("idle", 300, "drop who sends nothing for so many `seconds`")
	p.Parse(os.Args[1:])
	check()
	switch {
	case o.Program == 0:
		p.BadUsage("--prog: 0 is no program")
	case o.MaxConnections < 1 || o.MaxConnections > 60000:
		p.BadUsage("--max-connections: %d is not between 1 and 60000", o.MaxConnections)
	case o.MaxRecord < 256 || o.MaxRecord > 1<<20:
		p.BadUsage("--max-record: %d is not between 256 and 1048576", o.MaxRecord)
	case !(*idle > 0 && *idle <= 1<<31):
		p.BadUsage("--idle must be more than 0 seconds")
	}
	o.Idle = time.Duration(*idle * float64(time.Second))
	signal.Ignore(syscall.SIGPIPE) // a write to a closed standard output is an error
	p.Exit(p16rpccalc.Serve(cli.UntilSignal(), o, os.Stdout))
}
