// Command calc_client asks calc_server, over Sun RPC, for the result of a calculation.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

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
	p.StringVar(&t.Network, "transport", "tcp", "`name`: tcp, udp or unix")
	p.IntVar(&t.Port, "port", 0, "ask at this port `number`, without rpcbind")
	p.StringVar(&t.Path, "path", "", "ask at this Unix socket, a `file`, for --transport unix")
	timeout := p.Float64("timeout", 5, "how many `seconds` to wait for an answer")
	p.Uint32Var(&t.Program.Number, "prog", calc.V1.Number, "ask another program, of this `number`")
	p.Uint32Var(&t.Program.Version, "vers", calc.V2.Version, "ask this version `number`; without the flag 1 where 2 is not served")
	count := p.Int64("count", 0, "ask this `number` of times more, and tell how fast")
	clients := p.Int("clients", 1, "so many at once, each with a connection, for --count")
	p.SetInterspersed(false) // numbers may begin with a dash
	p.Parse(os.Args[1:])
	switch {
	case !slices.Contains([]string{"tcp", "udp", "unix"}, t.Network):
		p.BadUsage("--transport: %s is not tcp, udp or unix", t.Network)
	case p.Changed("port") && (t.Port < 1 || t.Port > 65535):
		p.BadUsage("--port: %d is not between 1 and 65535", t.Port)
	case (t.Network == "unix") != p.Changed("path"):
		p.BadUsage("--path and --transport unix go together")
	case !(*timeout > 0 && *timeout <= 1<<31):
		p.BadUsage("--timeout must be more than 0 seconds")
	case t.Program.Number == 0:
		p.BadUsage("--prog: 0 is no program")
	case p.Changed("count") && *count < 1:
		p.BadUsage("--count must be at least 1")
	case *clients < 1 || *clients > 10000:
		p.BadUsage("--clients: %d is not between 1 and 10000", *clients)
	case p.NArg() == 0:
		p.BadUsage("which host?")
	}
	t.Host = p.Arg(0)
	t.Exact = p.Changed("vers")
	t.Timeout = time.Duration(*timeout * float64(time.Second))
	q, err := p16rpccalc.Parse(p.Args()[1:])
	if err != nil {
		p.BadUsage("%v", err)
	}
	signal.Ignore(syscall.SIGPIPE) // a write to a closed standard output is an error
	p.Exit(ask(t, q, *count, *clients))
}

func ask(t p16rpccalc.Target, q p16rpccalc.Question, count int64, clients int) error {
	c, err := p16rpccalc.Dial(t)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), t.Timeout)
	defer cancel()
	result, err := c.Ask(ctx, q)
	if err = errors.Join(err, c.Close()); err != nil {
		return err
	}
	if _, err := fmt.Printf("Result: %d\n", result); err != nil || count == 0 {
		return err
	}
	figures, err := p16rpccalc.Load(t, q, count, clients, result)
	if err == nil {
		_, err = fmt.Println(figures)
	}
	return err
}
