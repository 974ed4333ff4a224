package p16rpccalc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"unpipc/projects/internal/cli"
)

var networks = []string{"tcp", "udp", "unix"}

// Flags adds to a client's command line where its server is. Once p has been parsed, check
// is to be called: it ends the process for wrong usage, and returns what the arguments ask.
func (t *Target) Flags(p *cli.Program) (check func() Question) {
	p.StringVar(&t.Network, "transport", "tcp", "`name`: tcp, udp or unix")
	p.IntVar(&t.Port, "port", 0, "ask at this port `number`, without rpcbind")
	p.StringVar(&t.Path, "path", "", "ask at this Unix socket, a `file`, for --transport unix")
	timeout := p.Float64("timeout", 5, "how many `seconds` to wait for an answer")
	p.SetInterspersed(false) // numbers may begin with a dash
	return func() Question {
		switch {
		case !slices.Contains(networks, t.Network):
			p.BadUsage("--transport: %s is not tcp, udp or unix", t.Network)
		case p.Changed("port") && (t.Port < 1 || t.Port > 65535):
			p.BadUsage("--port: %d is not between 1 and 65535", t.Port)
		case (t.Network == "unix") != p.Changed("path"):
			p.BadUsage("--path and --transport unix go together")
		case !(*timeout > 0 && *timeout <= 1<<31):
			p.BadUsage("--timeout must be more than 0 seconds")
		case p.NArg() == 0:
			p.BadUsage("which host?")
		}
		t.Host, t.Timeout = p.Arg(0), seconds(*timeout)
		q, err := Parse(p.Args()[1:])
		if err != nil {
			p.BadUsage("%v", err)
		}
		return q
	}
}

// Flags adds to a server's command line where it is to be, unless told at these networks,
// named with commas between, and at this address. Once p has been parsed, check is to be
// called: it ends the process for wrong usage.
func (o *ServerOptions) Flags(p *cli.Program, transports, bind string) (check func()) {
	list := p.String("transport", transports, "`name`: tcp, udp or unix, or several with commas between")
	p.IntVar(&o.Port, "port", 0, "serve at this port `number` and do not register with rpcbind")
	p.StringVar(&o.Path, "path", "", "serve at this Unix socket, a `file`, for --transport unix")
	p.StringVar(&o.Bind, "bind", bind, "serve at this IPv4 `address` only")
	return func() {
		for name := range strings.SplitSeq(*list, ",") {
			if !slices.Contains(networks, name) {
				p.BadUsage("--transport: %s is not tcp, udp or unix", name)
			}
			if !slices.Contains(o.Networks, name) {
				o.Networks = append(o.Networks, name)
			}
		}
		addr, err := netip.ParseAddr(o.Bind)
		switch {
		case p.NArg() > 0:
			p.BadUsage("takes no arguments")
		case p.Changed("port") && (o.Port < 1 || o.Port > 65535):
			p.BadUsage("--port: %d is not between 1 and 65535", o.Port)
		case slices.Contains(o.Networks, "unix") != p.Changed("path"):
			p.BadUsage("--path and --transport unix go together")
		case err != nil || !addr.Is4():
			p.BadUsage("--bind: %s is no IPv4 address", o.Bind)
		}
	}
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// Run asks a question, tells out the result, and asks count times more, by so many clients,
// to tell how fast.
func Run(t Target, q Question, count int64, clients int, out io.Writer) error {
	c, err := Dial(t)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), t.Timeout)
	defer cancel()
	result, err := c.Ask(ctx, q)
	if err = errors.Join(err, c.Close()); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "Result: %d\n", result); err != nil || count == 0 {
		return err
	}
	figures, err := Load(t, q, count, clients, result)
	if err == nil {
		_, err = fmt.Fprintln(out, figures)
	}
	return err
}
