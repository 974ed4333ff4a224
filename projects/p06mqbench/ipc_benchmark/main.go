// Command ipc_benchmark measures pipes, FIFOs, sockets, message queues and shared
// memory between two processes, and says which one wins.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/report"
	"unpipc/projects/internal/transfer"
	"unpipc/projects/p06mqbench"
)

// sweepVolume bounds the bytes of a run of --sweep, whose largest messages are 1 MB.
const sweepVolume = 64 << 20

func main() {
	transfer.Role() // does not return where this process is one end of a measurement
	p := cli.New("ipc_benchmark", "",
		"Measures mechanisms that carry messages between two processes: throughput, and latency\n"+
			"as half of a round trip, in Go beside C. Every message is verified.",
		"  ipc_benchmark --msg-size=1024 --iterations=100000\n"+
			"  ipc_benchmark --sweep --iterations=20K --plot sizes.svg")
	sizes := p.StringSlice("msg-size", []string{"1024"}, "bytes in a message: 1024, 1KB (of 1024), 1KiB, or a list")
	iterations := p.String("iterations", "100000", "messages in each run: 100000, 100K")
	sweep := p.Bool("sweep", false, "sizes from 1 B to 1 MB, no more than 64 MB in each run")
	runs := p.Int("runs", 3, "how often everything is measured; medians are shown")
	pin := p.StringSlice("pin", nil, "CPUs for the two processes, such as 0,1 (default the first two)")
	format := p.String("format", "table", "table, json, csv or md")
	plotFile := p.String("plot", "", "`file` for an SVG of throughput and latency by size, with --sweep or several sizes")
	bin := p.String("bin", "", "`folder` with ref/transfer, the C twin (default beside this program's)")
	p.Parse(os.Args[1:])

	plan := p06mqbench.Plan{Runs: *runs, Bin: *bin}
	var err error
	if plan.Iterations, err = p06mqbench.ParseCount(*iterations); err != nil {
		p.BadUsage("--iterations: %v", err)
	}
	for _, text := range *sizes {
		size, err := p06mqbench.ParseSize(text)
		if err != nil {
			p.BadUsage("--msg-size: %v", err)
		}
		plan.Sizes = append(plan.Sizes, size)
	}
	slices.Sort(plan.Sizes)
	plan.Sizes = slices.Compact(plan.Sizes)
	for _, text := range *pin {
		cpu, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			p.BadUsage("--pin: %q is no number of a CPU", text)
		}
		plan.Pin = append(plan.Pin, int(cpu))
	}
	write := p06mqbench.Formats[*format]
	switch {
	case p.NArg() > 0:
		p.BadUsage("unexpected argument %q", p.Arg(0))
	case *sweep && p.Changed("msg-size"):
		p.BadUsage("--sweep has sizes of its own: not with --msg-size")
	case *runs < 1:
		p.BadUsage("--runs must be at least 1")
	case write == nil:
		p.BadUsage("--format is table, json, csv or md")
	}
	if *sweep {
		plan.Sizes, plan.Volume = transfer.DefaultSizes, sweepVolume
	}
	if *plotFile != "" && len(plan.Sizes) < 2 {
		p.BadUsage("--plot needs several sizes: --sweep, or a list for --msg-size")
	}
	if plan.Bin == "" {
		self, err := os.Executable()
		if err != nil {
			p.Exit(err)
		}
		plan.Bin = filepath.Dir(filepath.Dir(self)) // bin/p06/ipc_benchmark
	}
	signal.Ignore(unix.SIGPIPE) // a write to a closed standard output is an error
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	p.Exit(run(ctx, &plan, *plotFile, func(lines []p06mqbench.Line) error { return write(os.Stdout, &plan, lines) }))
}

func run(ctx context.Context, plan *p06mqbench.Plan, plotFile string, write func([]p06mqbench.Line) error) error {
	// What an earlier one that was killed could not remove.
	left, err := transfer.Leftovers()
	if err != nil {
		return err
	}
	for _, l := range left {
		if err := l.Remove(); err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrPermission) {
			return err
		}
	}
	var progress func(measure.Progress)
	if term.IsTerminal(int(os.Stderr.Fd())) {
		progress = report.Progress(os.Stderr)
	}
	lines, err := p06mqbench.Run(ctx, plan, progress)
	if err != nil {
		return err
	}
	if err := write(lines); err != nil {
		return err
	}
	if plotFile != "" {
		if err := p06mqbench.Plot(plotFile, lines); err != nil {
			return err
		}
	}
	for _, l := range lines {
		if l.Failed != "" {
			err = errors.Join(err, fmt.Errorf("%s, %d bytes: %s", l.Mechanism.Name, l.Size, l.Failed))
		}
	}
	return err
}
