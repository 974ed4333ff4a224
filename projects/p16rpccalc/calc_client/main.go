// Command calc_client asks calc_server, over Sun RPC, for the result of a calculation.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"unpipc/gobind/calc"
	"unpipc/projects/internal/cli"
	"unpipc/projects/p16rpccalc"
)

func main() {
	p := cli.New("calc_client", "HOST OPERATION A B\n       calc_client [flags] HOST evaluate EXPRESSION",
		"Asks the calc_server at HOST, which rpcbind there is asked for. The operations are add,\n"+
			"subtract, multiply, divide, remainder, and evaluate for postfix expressions.",
		"  calc_client localhost add 5 3\n  calc_client --port 5001 localhost evaluate '1 2 + 3 *'")
	var t p16rpccalc.Target
	check := t.Flags(p)
	p.Uint32Var(&t.Program.Number, "prog", calc.V1.Number, "ask another program, of this `number`")
	p.Uint32Var(&t.Program.Version, "vers", calc.V2.Version, "ask this version `number`; without the flag 1 where 2 is not served")
	count := p.Int64("count", 0, "ask this `number` of times more, and tell how fast")
	clients := p.Int("clients", 1, "so many at once, each with a connection, for --count")
	p.Parse(os.Args[1:])
	q := check()
	t.Exact = p.Changed("vers")
	switch {
	case t.Program.Number == 0:
		p.BadUsage("--prog: 0 is no program")
	case p.Changed("count") && *count < 1:
		p.BadUsage("--count must be at least 1")
	case *clients < 1 || *clients > 10000:
		p.BadUsage("--clients: %d is not between 1 and 10000", *clients)
	}
	signal.Ignore(syscall.SIGPIPE) // a write to a closed standard output is an error
	p.Exit(p16rpccalc.Run(t, q, *count, *clients, os.Stdout))
}
