// Command calc_client asks exercise 17's calc_server, and shows it who asks.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
	"unpipc/projects/internal/cli"
	"unpipc/projects/p16rpccalc"
	"unpipc/projects/p17rpcauth"
)

func main() {
	p := cli.New("calc_client", "HOST OPERATION A B\n       calc_client [flags] HOST evaluate EXPRESSION",
		"Asks calc_server, with a credential. The operations are add, subtract, multiply,\n"+
			"divide, remainder, and evaluate for postfix expressions.",
		"  calc_client --auth sys --port 5001 localhost add 5 3\n"+
			"  calc_client --auth des --keys keys --netname ann@here --server calc@here --port 5001 localhost add 5 3")
	t := p16rpccalc.Target{Program: calc.V2}
	var c credential
	sys := sunrpc.CurrentUser()
	p.StringVar(&c.flavor, "auth", "sys", "`flavor` of the credential: none, sys, des or gss")
	p.Uint32Var(&sys.UID, "uid", sys.UID, "for sys: claim to be the user of this `number`")
	p.Uint32Var(&sys.GID, "gid", sys.GID, "for sys: claim to be of the group of this `number`")
	groups := p.UintSlice("groups", nil, "for sys: and of these `groups`, numbers with commas between; else the process's")
	p.StringVar(&sys.Machine, "machine", sys.Machine, "for sys: claim to be at this host, a `name`")
	p.StringVar(&c.keys.Path, "keys", "", "for des: netnames and their keys are in this `file`, see rpc_keygen")
	p.StringVar(&c.keys.Name, "netname", "", "for des: our `name`")
	p.StringVar(&c.keys.PasswordFile, "password-file", "", "for des: our password is in this `file`; else it is asked for")
	p.StringVar(&c.server, "server", "", "the server's `name`: a netname for des, service@host for gss")
	window := p.Int("window", 60, "for des: a call is good for so many `seconds`")
	offset := p.Int("clock-offset", 0, "for des: our clock is wrong by so many `seconds`")
	protect := p.String("protect", "none", "for gss: `what` is protected besides: none, integrity or privacy")
	p.StringVar(&t.Network, "transport", "tcp", "`name`: tcp, udp or unix")
	p.IntVar(&t.Port, "port", 0, "ask at this port `number`, without rpcbind")
	p.StringVar(&t.Path, "path", "", "ask at this Unix socket, a `file`, for --transport unix")
	timeout := p.Float64("timeout", 5, "how many `seconds` to wait for an answer")
	p.SetInterspersed(false) // numbers may begin with a dash
	p.Parse(os.Args[1:])
	_, err := p17rpcauth.ParseFlavors(c.flavor)
	switch {
	case err != nil:
		p.BadUsage("--auth: %v", err)
	case !slices.Contains([]string{"tcp", "udp", "unix"}, t.Network):
		p.BadUsage("--transport: %s is not tcp, udp or unix", t.Network)
	case p.Changed("port") && (t.Port < 1 || t.Port > 65535):
		p.BadUsage("--port: %d is not between 1 and 65535", t.Port)
	case (t.Network == "unix") != p.Changed("path"):
		p.BadUsage("--path and --transport unix go together")
	case c.flavor == "des" && (c.keys.Path == "" || c.keys.Name == "" || c.server == ""):
		p.BadUsage("--auth des needs --keys, --netname and --server")
	case c.flavor == "gss" && c.server == "":
		p.BadUsage("--auth gss needs --server")
	case c.flavor == "gss" && t.Network == "udp":
		p.BadUsage("--auth gss is not for --transport udp")
	case *window < 1 || *window > 1<<31-1:
		p.BadUsage("--window: %d is not between 1 and 2147483647", *window)
	case len(*groups) > 16:
		p.BadUsage("--groups: more than 16")
	case !(*timeout > 0 && *timeout <= 1<<31):
		p.BadUsage("--timeout must be more than 0 seconds")
	case p.NArg() == 0:
		p.BadUsage("which host?")
	}
	if p.Changed("groups") {
		sys.GIDs = nil
	}
	for _, gid := range *groups {
		if uint(uint32(gid)) != gid {
			p.BadUsage("--groups: %d has more than 32 bits", gid)
		}
		sys.GIDs = append(sys.GIDs, uint32(gid))
	}
	t.Host = p.Arg(0)
	t.Timeout = time.Duration(*timeout * float64(time.Second))
	q, err := p16rpccalc.Parse(p.Args()[1:])
	if err != nil {
		p.BadUsage("%v", err)
	}
	c.sys = sys
	c.window, c.offset = time.Duration(*window)*time.Second, time.Duration(*offset)*time.Second
	if c.protection, err = p17rpcauth.ParseProtection(*protect); err != nil {
		p.BadUsage("--protect: %v", err)
	}
	signal.Ignore(syscall.SIGPIPE) // a write to a closed standard output is an error
	p.Exit(p17rpcauth.Explain(ask(t, &c, q)))
}

// credential is what the flags say of it.
type credential struct {
	flavor         string
	sys            sunrpc.AuthSys
	keys           p17rpcauth.Keys
	server         string
	window, offset time.Duration
	protection     sunrpc.Protection
}

func (c *credential) auth() (sunrpc.Auth, error) {
	switch c.flavor {
	case "sys":
		return c.sys, nil
	case "des":
		return c.keys.NewDES(c.server, c.window, c.offset)
	case "gss":
		return sunrpc.GSS{Principal: c.server, Protection: c.protection}, nil
	}
	return sunrpc.AuthNone{}, nil
}

func ask(t p16rpccalc.Target, c *credential, q p16rpccalc.Question) (err error) {
	if t.Auth, err = c.auth(); err != nil {
		return err
	}
	client, err := p16rpccalc.Dial(t)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), t.Timeout)
	defer cancel()
	result, err := client.Ask(ctx, q)
	if err == nil {
		_, err = fmt.Printf("Result: %d\n", result)
	}
	return err
}
