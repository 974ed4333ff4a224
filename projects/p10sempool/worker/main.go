// Command worker takes a connection of the pool, keeps it for a while, and gives it back.
package main

import (
	"math"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p10sempool"
)

func main() {
	p := cli.New("worker", "N",
		"Takes a connection of the pool, waits for one if none is free, keeps it for a while\n"+
			"and gives it back. N is the worker's number, for its messages.",
		"  worker 1\n"+
			"  for i in 1 2 3 4 5 6 7 8 9 10; do worker $i & done\n"+
			"  worker --hold 0 --send PING 1")
	var j p10sempool.Job
	p.StringVar(&j.Pool, "name", p10sempool.DefaultName, "name of the pool")
	timeout := p.Float64("timeout", 30, "how many `seconds` to wait for a connection")
	clock := p.String("clock", "monotonic", "clock of the timeout: monotonic, or realtime, which can be set")
	hold := p.Float64("hold", 1, "how many `seconds` to keep the connection")
	p.StringVar(&j.Send, "send", "", "send a `text` as a line on the connection, and show the line that comes back")
	p.IntVar(&j.Count, "count", 1, "take a connection this `number` of times, and tell how fast")
	p.Parse(os.Args[1:])
	number, err := strconv.ParseUint(p.Arg(0), 10, 32)
	switch {
	case p.NArg() != 1:
		p.BadUsage("wants one number, got %d arguments", p.NArg())
	case err != nil || number > 999_999_999:
		p.BadUsage("the worker's number must be from 0 to 999999999, not %q", p.Arg(0))
	case !(*timeout > 0 && *timeout <= 1e9):
		p.BadUsage("--timeout is a number of seconds above 0")
	case !(*hold >= 0 && *hold <= 1e9):
		p.BadUsage("--hold is a number of seconds")
	case *clock != "monotonic" && *clock != "realtime":
		p.BadUsage("--clock is monotonic or realtime, not %q", *clock)
	case j.Count < 1 || j.Count > 1e9:
		p.BadUsage("--count must be from 1 to 1000000000")
	case !p10sempool.ValidName(j.Pool):
		p.BadUsage("--name must begin with a slash and have no other, not %q", j.Pool)
	}
	j.Number = uint32(number)
	j.RealTime = *clock == "realtime"
	j.Timeout, j.Hold = span(*timeout), span(*hold)
	j.Log = os.Stdout
	signal.Ignore(syscall.SIGPIPE)
	p.Exit(j.Run(cli.UntilSignal()))
}

func span(seconds float64) time.Duration { return time.Duration(math.Round(seconds * 1e9)) }
