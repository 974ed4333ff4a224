// Command shm_ringbuffer_bench measures a ring of bytes in shared memory between two
// processes, beside a pipe and a Unix socket.
package main

import (
	"os"

	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/transfer"
	"unpipc/projects/p12shmring"
)

func main() {
	transfer.Role()       // as one end of a pipe or socket that is compared with
	if len(os.Args) > 1 { // as one end of the ring
		switch os.Args[1] {
		case "producer":
			p12shmring.ProducerMain(os.Args[2:])
		case "consumer":
			p12shmring.ConsumerMain(os.Args[2:])
		}
	}
	p := cli.New("shm_ringbuffer_bench", "",
		"Sends messages through a ring in shared memory between two processes, each with its number\n"+
			"checked, and a tenth as many through a pipe and a Unix socket. The latency is half of a\n"+
			"round trip through two rings.",
		"  shm_ringbuffer_bench --buffer-size=1MB --iterations=10M\n"+
			"  shm_ringbuffer_bench --msg-size=64 --batch=0")
	capacity := p.String("buffer-size", "1MB", "bytes of the ring, a power of two")
	iterations := p.String("iterations", "1M", "messages: 1000, 10K, 10M")
	size := p.String("msg-size", "1KB", "bytes in a message, at least 16: 64, 1KB (of 1024)")
	batch := p.String("batch", "", "bytes to keep back before they are published; 0: every message at once (default an eighth of the ring)")
	inPlace := p.Bool("in-place", false, "only numbers are written and compared, in the ring: nothing is copied")
	p.Parse(os.Args[1:])
	if p.NArg() > 0 {
		p.BadUsage("unexpected argument %q", p.Arg(0))
	}
	plan := p12shmring.Plan{InPlace: *inPlace, Self: []string{"/proc/self/exe"}}
	var err error
	if plan.Capacity, err = cli.ParseSize(*capacity); err == nil {
		err = p12shmring.CheckCapacity(plan.Capacity)
	}
	if err != nil {
		p.BadUsage("--buffer-size: %v", err)
	}
	if plan.Iterations, err = cli.ParseCount(*iterations); err != nil {
		p.BadUsage("--iterations: %v", err)
	}
	if plan.Size, err = cli.ParseSize(*size); err == nil {
		err = p12shmring.CheckSize(plan.Size, plan.Capacity)
	}
	if err != nil {
		p.BadUsage("--msg-size: %v", err)
	}
	plan.Batch = plan.Capacity / 8
	if *batch == "0" {
		plan.Batch = 0
	} else if *batch != "" {
		if plan.Batch, err = cli.ParseSize(*batch); err != nil {
			p.BadUsage("--batch: %v", err)
		}
	}
	p.Exit(p12shmring.Report(cli.UntilSignal(), os.Stdout, &plan))
}
