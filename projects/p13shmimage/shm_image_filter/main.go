// Command shm_image_filter filters a picture by several processes that share it.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p13shmimage"
)

func main() {
	p := cli.New("shm_image_filter", "input output",
		"Filters a picture (PNG or JPEG) by worker processes, each some rows of it, which\n"+
			"share it in a System V shared memory segment. The output is PNG or JPEG by its name.\n"+
			"Filters: blur, sharpen, edge, emboss, grayscale, invert.",
		"  shm_image_filter input.png output.png --filter=blur --workers=4")
	filter := p.String("filter", "blur", "what to do")
	sigma := p.Float64("sigma", 5, "width of the blur: its standard deviation in pixels, up to 100")
	workers := p.Int("workers", 4, "number of worker processes")
	noCompare := p.Bool("no-compare", false, "do not time one worker alone as well")
	portable := p.Bool("portable", false, "do not use the processor's vector unit")
	memory := p.Int64("memory", 8192, "MiB that the shared memory may have")
	job := p.String("worker", "", "be a worker: not for use by hand")
	_ = p.MarkHidden("worker")
	p.Parse(os.Args[1:])
	if p.NArg() != 2 && (*job == "" || p.NArg() != 2) {
		p.BadUsage("needs an input and an output")
	}
	if *job != "" {
		p.Exit(work(*job, p.Arg(0), p.Arg(1)))
	}
	o := p13shmimage.Options{Input: p.Arg(0), Output: p.Arg(1), Sigma: *sigma, Workers: *workers,
		Compare: !*noCompare, Portable: *portable, Memory: *memory << 20}
	var err error
	if o.Filter, err = p13shmimage.ParseFilter(*filter); err != nil {
		p.BadUsage("%v", err)
	}
	if !(o.Sigma > 0 && o.Sigma <= p13shmimage.MaxSigma) {
		p.BadUsage("--sigma must be over 0 and at most %d", p13shmimage.MaxSigma)
	}
	if o.Workers < 1 || o.Workers > p13shmimage.MaxWorkers {
		p.BadUsage("--workers must be 1 to %d", p13shmimage.MaxWorkers)
	}
	if *memory < 1 || *memory > 1<<40 {
		p.BadUsage("--memory must be at least 1")
	}
	if _, err := p13shmimage.IsJPEG(o.Output); err != nil {
		p.BadUsage("%v", err)
	}
	// A write to a closed standard output is an error, not the end without cleaning up.
	signal.Ignore(syscall.SIGPIPE)
	p.Exit(p13shmimage.Run(cli.UntilSignal(), o, os.Stdout))
}

// work is what a process that the master started does.
func work(job, id, slot string) error {
	i, err := strconv.Atoi(id)
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	n, err := strconv.Atoi(slot)
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	return p13shmimage.Work(job, i, n)
}
