package rpccost

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/measure"
)

// roleArgument as first argument makes the running binary a role.
const roleArgument = "rpccost-role"

// Networks are what calls are made over, by the names of rows and roles.
var Networks = []string{"tcp", "udp", "unix"}

// Role is to be called first in main, and in TestMain: it returns at once, unless this
// process was started as a client or a server; then it is that and exits.
func Role() { measure.TakeRole(roleArgument, roleMain) }

// role is what the command line of a role says.
type role struct {
	network, addr string
	size          int
	count, warmup uint64
}

func roleMain(args []string) {
	p := cli.New("rpccost", "", "A client that puts values by Sun RPC, or its server. The server prints its address, the\n"+
		"client the time that the calls took, as JSON.",
		"  ipc_suite rpccost-role --role serve --network tcp --addr 127.0.0.1:5001 &\n"+
			"  ipc_suite rpccost-role --role ask --network tcp --addr 127.0.0.1:5001")
	var r role
	name := p.String("role", "", "serve or ask")
	p.StringVar(&r.network, "network", "tcp", "tcp, udp or unix")
	p.StringVar(&r.addr, "addr", "", "127.0.0.1:PORT, of a server also port 0; or the path of a Unix socket")
	size := p.Uint32("size", 64, "bytes in a value, up to 65536")
	p.Uint64Var(&r.count, "count", 1000, "timed calls")
	p.Uint64Var(&r.warmup, "warmup", 16, "calls before them, whose values are compared byte for byte")
	parent := p.Uint32("parent", 0, "pid of the process that this one is not to outlive; 0: any")
	p.Parse(args)
	r.size = int(*size)
	switch {
	case *name != "serve" && *name != "ask":
		p.BadUsage("--role is serve or ask")
	case !slices.Contains(Networks, r.network):
		p.BadUsage("--network is tcp, udp or unix")
	case r.addr == "" || r.size == 0 || r.size > maxValue || r.count == 0 || p.NArg() > 0:
		p.BadUsage("--addr is needed, --size and --count are at least 1, --size at most %d", maxValue)
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		p.Exit(os.NewSyscallError("prctl", err))
	}
	if *parent != 0 && os.Getppid() != int(*parent) {
		os.Exit(cli.Failed) // it was killed before that
	}
	debug.SetGCPercent(400) // a call makes little garbage; a collection is not what is measured
	// With one P the runtime's monitor takes it in every long call of C. Kept on one CPU
	// this process would have one only.
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), 2))
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer stop()
	if *name == "serve" {
		p.Exit(r.serve(ctx, os.Stdout))
	}
	p.Exit(measure.Print(r.ask(ctx)))
}
