// Command calc_server answers arithmetic through FIFOs.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p02fifo"
)

func main() {
	p := cli.New("calc_server", "",
		"Answers arithmetic that calc_client sends through a FIFO, until SIGINT or SIGTERM.\n"+
			"Each answer goes into the FIFO calc_client_<pid> in the same directory.",
		"  calc_server --fifo /tmp/my_calc")
	path := p.String("fifo", p02fifo.DefaultPath, "the FIFO to listen on")
	quiet := p.Bool("quiet", false, "print no line for a request and its answer, only what went wrong")
	p.ParseFlags(os.Args[1:])
	p.Exit(serve(*path, *quiet))
}

func serve(path string, quiet bool) error {
	// A write to a closed standard output is an error, not the end without cleaning up.
	signal.Ignore(syscall.SIGPIPE)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if !signal.Ignored(sig) { // as in the background of a script
			var stop context.CancelFunc
			ctx, stop = signal.NotifyContext(ctx, sig)
			defer stop()
		}
	}
	s, err := p02fifo.Listen(path, os.Stdout, quiet)
	if err != nil {
		return err
	}
	return errors.Join(s.Serve(ctx), s.Close())
}
