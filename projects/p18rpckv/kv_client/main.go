// Command kv_client asks the servers of a replicated key-value store.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p18rpckv"
)

// unknown is the exit status where nobody knows whether a write was done.
const unknown = 3

func main() {
	p := cli.New("kv_client", "COMMAND",
		"Asks the servers of a replicated key-value store; flags come before the command.\n\n"+
			"  put KEY VALUE           keep a value; VALUE - is read from standard input\n"+
			"  get KEY                 print a value\n"+
			"  del KEY                 take a key out\n"+
			"  cas KEY OLD NEW         put NEW if the value is OLD; with --absent: cas KEY NEW\n"+
			"  list [PREFIX]           print the keys\n"+
			"  watch [PREFIX]          print changes as they come\n"+
			"  status                  print what each --server thinks\n"+
			"  member add ID ADDRESS   let a server in that was started with --join\n"+
			"  member remove ID        take a server out\n\n"+
			"The exit status is 0 if it was done, 1 if it was not, and 3 if nobody knows: the write\n"+
			"was sent, and no answer came.",
		"  kv_client --server=localhost:9001 put mykey \"Hello World\"\n"+
			"  kv_client --server=localhost:9001,localhost:9002,localhost:9003 get mykey")
	servers := p.StringArray("server", []string{"localhost:9001"}, "`address` of a server, or several with commas between; may be repeated")
	timeout := p.Float64("timeout", 10, "how many `seconds` to go on trying")
	var o p18rpckv.Options
	p.BoolVar(&o.Local, "local", false, "get, list: what the server itself has, however old that is")
	maxAge := p.Float64("max-age", 5, "get --local: from shared memory if what is there is at most so many `seconds` old")
	p.BoolVar(&o.Age, "age", false, "get --local: tell on standard error how old the value may be")
	p.BoolVar(&o.Raw, "raw", false, "get: no newline after the value")
	p.Uint64Var(&o.After, "after", 0, "watch: changes after this `revision`; without the flag, from now on")
	p.Uint64Var(&o.Count, "count", 0, "watch: end after this `number` of changes")
	p.BoolVar(&o.Absent, "absent", false, "cas: the key must not be there")
	p.SetInterspersed(false) // values may begin with a dash
	p.Parse(os.Args[1:])
	o.FromNow = !p.Changed("after")
	for _, list := range *servers {
		for addr := range strings.SplitSeq(list, ",") {
			canonical, err := p18rpckv.Address(addr)
			if err != nil {
				p.BadUsage("--server: %v", err)
			}
			o.Servers = append(o.Servers, canonical)
		}
	}
	switch {
	case !(*timeout > 0 && *timeout <= 1<<31):
		p.BadUsage("--timeout must be more than 0 seconds")
	case !(*maxAge >= 0 && *maxAge <= 1<<31):
		p.BadUsage("--max-age must be at least 0 seconds")
	case p.Changed("count") && o.Count < 1:
		p.BadUsage("--count must be at least 1")
	}
	o.MaxAge = time.Duration(*maxAge * float64(time.Second))
	o.Timeout = time.Duration(*timeout * float64(time.Second))
	run, err := p18rpckv.Parse(p.Args(), o)
	if err != nil {
		p.BadUsage("%v", err)
	}
	signal.Ignore(syscall.SIGPIPE) // a write to a closed standard output is an error
	ctx := cli.UntilSignal()
	err = run(ctx, os.Stdin, os.Stdout, p.Complain)
	if errors.Is(err, p18rpckv.ErrUnknown) && ctx.Err() == nil {
		p.Complain("%v", err)
		os.Exit(unknown)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	p.Exit(err)
}
