package callcost

import (
	"runtime/debug"

	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/measure"
)

// roleArgument as first argument makes the running binary a role.
const roleArgument = "callcost-role"

// Role is to be called first in main, and in TestMain: it returns at once, unless
// this process was started to make the calls; then it does and exits.
func Role() { measure.TakeRole(roleArgument, roleMain) }

// role is what the command line of a role says.
type role struct {
	queue         string
	size          int
	count, warmup uint64
}

func roleMain(args []string) {
	p := cli.New("callcost", "", "Sends messages to itself; the time they took goes to standard output as JSON.",
		"  ipc_suite callcost-role --queue posix --size 64 --count 1000000")
	var r role
	p.StringVar(&r.queue, "queue", "", "posix or sysv")
	size := p.Uint32("size", 64, "bytes in a message")
	p.Uint64Var(&r.count, "count", 1000, "timed messages")
	p.Uint64Var(&r.warmup, "warmup", 64, "messages before them, compared byte for byte")
	p.Bool("threaded", false, "with a second thread: Go always has one")
	p.Parse(args)
	r.size = int(*size)
	if r.size == 0 || r.count == 0 || p.NArg() > 0 {
		p.BadUsage("--size and --count are at least 1")
	}
	open := map[string]func(*role) (queue, error){"posix": openPOSIX, "sysv": openSystemV}[r.queue]
	if open == nil {
		p.BadUsage("--queue is posix or sysv")
	}
	debug.SetGCPercent(-1) // nothing here makes garbage that counts
	var o measure.Outcome
	q, err := open(&r)
	if skip, ok := err.(errOverLimit); ok {
		o, err = measure.Outcome{Skip: string(skip)}, nil
	} else if err == nil {
		o, err = r.run(q)
	}
	p.Exit(measure.Print(o, err))
}
