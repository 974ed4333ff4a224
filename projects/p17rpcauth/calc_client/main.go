// Command calc_client asks exercise 17's calc_server, and shows it who asks.
package main

import (
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
	p.StringVar(&c.keys.KeyServer, "keyserv", "", "for des: the key server at this `socket` has our secret key, see rpc_keyserv")
	p.StringVar(&c.server, "server", "", "the server's `name`: a netname for des, service@host for gss")
	window := p.Int("window", 60, "for des: a call is good for so many `seconds`")
	offset := p.Int("clock-offset", 0, "for des: our clock is wrong by so many `seconds`")
	protect := p.String("protect", "none", "for gss: `what` is protected besides: none, integrity or privacy")
	check := t.Flags(p)
	count := p.Int64("count", 0, "ask this `number` of times more, and tell how fast")
	p.Parse(os.Args[1:])
	q := check()
	switch {
	case !slices.Contains([]string{"none", "sys", "des", "gss"}, c.flavor):
		p.BadUsage("--auth: %s is not none, sys, des or gss", c.flavor)
	case c.flavor == "des" && (c.keys.Path == "" || c.keys.Name == "" || c.server == ""):
		p.BadUsage("--auth des needs --keys, --netname and --server")
	case c.keys.KeyServer != "" && c.keys.PasswordFile != "":
		p.BadUsage("--keyserv needs no --password-file")
	case c.flavor == "gss" && c.server == "":
		p.BadUsage("--auth gss needs --server")
	case c.flavor == "gss" && t.Network == "udp":
		p.BadUsage("--auth gss is not for --transport udp")
	case *window < 1 || *window > 1<<31-1:
		p.BadUsage("--window: %d is not between 1 and 2147483647", *window)
	case p.Changed("count") && *count < 1:
		p.BadUsage("--count must be at least 1")
	case len(*groups) > 16:
		p.BadUsage("--groups: more than 16")
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
	c.sys = sys
	c.window, c.offset = time.Duration(*window)*time.Second, time.Duration(*offset)*time.Second
	var err error
	if c.protection, err = p17rpcauth.ParseProtection(*protect); err != nil {
		p.BadUsage("--protect: %v", err)
	}
	signal.Ignore(syscall.SIGPIPE) // a write to a closed standard output is an error
	if t.Auth, err = c.auth(); err == nil {
		err = p17rpcauth.Explain(p16rpccalc.Run(t, q, *count, 1, os.Stdout))
	}
	p.Exit(err)
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
