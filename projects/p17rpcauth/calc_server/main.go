// Command calc_server is exercise 16's calculator, for callers that it knows.
package main

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"unpipc/gobind/calc"
	"unpipc/projects/internal/cli"
	"unpipc/projects/p16rpccalc"
	"unpipc/projects/p17rpcauth"
)

func main() {
	p := cli.New("calc_server", "",
		"Serves program 0x31230000 of calc.x to callers that show a credential of a flavor in\n"+
			"--auth and that a rule allows, until SIGINT or SIGTERM. Refusals are told on stderr.",
		"  calc_server --auth sys --allow 'add: uid 0, gid 100' --allow 'all: uid 1000' --port 5001\n"+
			"  calc_server --auth sys,des --keys keys --netname calc@here --password-file pass --port 5001")
	o := p16rpccalc.ServerOptions{Program: calc.V1.Number, MaxConnections: 1000, MaxRecord: 64 * 1024, Idle: 5 * time.Minute}
	g := p17rpcauth.Guard{Log: p.Complain}
	var keys p17rpcauth.Keys
	auth := p.String("auth", "sys", "accept these `flavors`: none, sys, des, gss, with commas between")
	rules := p.StringArray("allow", nil, "a `rule`, any number of them: 'add, subtract: uid 0, gid 100', 'all: name NETNAME', 'all: principal NAME', 'all: anybody'")
	policy := p.String("policy", "", "rules from this `file`, one a line")
	p.BoolVar(&g.PeerCred, "peercred", false, "compare AUTH_SYS with what the kernel knows, over a Unix socket")
	p.StringVar(&keys.Path, "keys", "", "for des: netnames and their keys are in this `file`, see rpc_keygen")
	p.StringVar(&keys.Name, "netname", "", "for des: the server's `name`")
	p.StringVar(&keys.PasswordFile, "password-file", "", "for des: its password is in this `file`; else it is asked for")
	p.StringVar(&keys.KeyServer, "keyserv", "", "for des: the key server at this `socket` has its secret key, see rpc_keyserv")
	window := p.Int("window", 60, "for des: refuse calls older than so many `seconds`, or less if the client says so")
	p.StringVar(&g.Principal, "principal", "", "for gss: the server's `name`, service@host")
	protect := p.String("protect", "none", "for gss: refuse calls that are protected `less`: none, integrity or privacy")
	check := o.Flags(p, "tcp", "127.0.0.1")
	p.Parse(os.Args[1:])
	check()
	var err error
	if g.Flavors, err = p17rpcauth.ParseFlavors(*auth); err != nil {
		p.BadUsage("--auth: %v", err)
	}
	if g.Protect, err = p17rpcauth.ParseProtection(*protect); err != nil {
		p.BadUsage("--protect: %v", err)
	}
	for _, rule := range *rules {
		if err := g.Policy.Add(rule); err != nil {
			p.BadUsage("--allow: %v", err)
		}
	}
	switch {
	case g.PeerCred && !slices.Equal(o.Networks, []string{"unix"}):
		p.BadUsage("--peercred is for --transport unix alone")
	case g.Accepts("des") && (keys.Path == "" || keys.Name == ""):
		p.BadUsage("--auth des needs --keys and --netname")
	case keys.KeyServer != "" && keys.PasswordFile != "":
		p.BadUsage("--keyserv needs no --password-file")
	case g.Accepts("gss") && g.Principal == "":
		p.BadUsage("--auth gss needs --principal")
	case *window < 1 || *window > 1<<31-1:
		p.BadUsage("--window: %d is not between 1 and 2147483647", *window)
	}
	signal.Ignore(syscall.SIGPIPE) // a write to a closed standard output is an error
	o.Check, o.Prepare = g.Check, g.Prepare
	ctx := cli.UntilSignal()
	if *policy != "" {
		err = g.Policy.AddFile(*policy)
	}
	if err == nil && g.Accepts("des") {
		g.DES, err = keys.NewDESServer(time.Duration(*window) * time.Second)
	}
	if err == nil {
		err = p16rpccalc.Serve(ctx, o, os.Stdout)
	}
	p.Exit(err)
}
