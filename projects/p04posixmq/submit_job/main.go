// Command submit_job queues a job for job_dispatcher.
package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "unpipc/gobind/process/shortlived"
	"unpipc/projects/internal/cli"
	jobs "unpipc/projects/p04posixmq"
)

func main() {
	p := cli.New("submit_job", "",
		`Queues a command for job_dispatcher, which runs it by /bin/sh -c. Without a dispatcher
it stays queued until there is one. If the queue is full, submit_job waits for room.`,
		`  submit_job --priority=31 --cmd="echo URGENT"
  submit_job --list
  submit_job --shutdown`)
	at := jobs.Place{}
	p.StringVar(&at.Queue, "queue", jobs.DefaultQueue, "`name` of the message queue")
	p.StringVar(&at.State, "state", "", "`directory` of the jobs (default $XDG_RUNTIME_DIR/unpipc-jobs-QUEUE or /tmp/unpipc-jobs-UID-QUEUE)")
	p.IntVar(&at.MaxMessages, "max-messages", 0, "`number` of messages that a new queue holds (default 10)")
	p.IntVar(&at.MessageSize, "message-size", 0, "`bytes` of a message in a new queue (default 8192)")
	priority := p.Int("priority", 0, "of the job, from 0 to 32767; the highest is run first")
	command := p.String("cmd", "", "the `command`")
	list := p.Bool("list", false, "show what runs and what waits, in the order in which it will run")
	shutdown := p.Bool("shutdown", false, "let the dispatcher run everything queued and end, and wait for that")
	timeout := p.Float64("timeout", 0, "fail if the queue is still full, or the dispatcher still there, after this many `seconds`")
	nonblock := p.Bool("nonblock", false, "fail if the queue is full; do not wait for the dispatcher's end")
	p.Parse(os.Args[1:])
	wanted := 0
	for _, flag := range []string{"cmd", "list", "shutdown"} {
		if p.Changed(flag) {
			wanted++
		}
	}
	switch err := jobs.CheckQueueName(at.Queue); {
	case p.NArg() > 0:
		p.BadUsage("takes no arguments (a command goes into quotes)")
	case err != nil:
		p.BadUsage("--queue %v", err)
	case wanted != 1:
		p.BadUsage("wants one of --cmd, --list and --shutdown")
	case p.Changed("cmd") && *command == "":
		p.BadUsage("--cmd is empty")
	case p.Changed("max-messages") && at.MaxMessages < 1 || p.Changed("message-size") && at.MessageSize < 1:
		p.BadUsage("--max-messages and --message-size must be at least 1")
	case *priority < 0 || *priority > jobs.MaxPriority:
		p.BadUsage("--priority must be from 0 to %d", jobs.MaxPriority)
	case p.Changed("timeout") && !(*timeout > 0 && *timeout <= math.MaxInt32):
		p.BadUsage("--timeout must be more than 0")
	}
	signal.Ignore(syscall.SIGPIPE) // a write to a closed standard output is an error
	patience := jobs.Patience{Nonblock: *nonblock, Timeout: time.Duration(*timeout * float64(time.Second))}
	var err error
	switch ctx := cli.UntilSignal(); {
	case *list:
		err = show(at)
	case *shutdown:
		err = jobs.Shutdown(ctx, at, patience)
	default:
		err = submit(ctx, at, uint(*priority), *command, patience)
	}
	p.Exit(err)
}

func submit(ctx context.Context, at jobs.Place, priority uint, command string, patience jobs.Patience) error {
	id, err := jobs.Submit(ctx, at, priority, command, patience)
	if err == nil {
		_, err = fmt.Printf("Job %d queued (priority %d)\n", id, priority)
	}
	return err
}

func show(at jobs.Place) error {
	l, err := jobs.List(at)
	if err == nil {
		_, err = l.WriteTo(os.Stdout)
	}
	return err
}
