// Command sysv_server answers the requests of many clients through one System V queue.
package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p05sysvmq"
)

func main() {
	p := cli.New("sysv_server", "",
		"Answers what sysv_client asks through one System V message queue, until SIGINT or\n"+
			"SIGTERM; then it removes the queue. The queue of a dead server is taken over.",
		"  sysv_server --key 0x12345678\n  sysv_server --path /etc/hostname --id 7 --explain-key")
	key := p05sysvmq.AddKeyFlags(p)
	fresh := p.Bool("fresh", false, "remove the queue of a dead server instead, with what waits in it")
	quiet := p.Bool("quiet", false, "print no line for a request, only what went wrong")
	p.ParseFlags(os.Args[1:])
	p.Exit(serve(key, *fresh, *quiet))
}

func serve(flags *p05sysvmq.KeyFlags, fresh, quiet bool) error {
	key, err := flags.Key()
	if err != nil {
		return err
	}
	// A write to a closed standard output is an error, not the end without cleaning up.
	signal.Ignore(syscall.SIGPIPE)
	ctx := cli.UntilSignal()
	s, err := p05sysvmq.Listen(key, fresh, os.Stdout, quiet)
	if err != nil {
		return err
	}
	return errors.Join(s.Serve(ctx), s.Close())
}
