// Command job_dispatcher runs the jobs of a message queue, highest priority first.
package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"unpipc/projects/internal/cli"
	jobs "unpipc/projects/p04posixmq"
)

func main() {
	p := cli.New("job_dispatcher", "",
		`Runs the jobs that submit_job queues, each by /bin/sh -c, highest priority first and
first come first served within one. What a job writes is printed when it has ended,
with its exit status. A job that was running when the dispatcher was killed is run
again by the next one, which says so.
SIGTERM or SIGINT: ends when the running jobs have, a second one kills them.
SIGUSR2 (submit_job --shutdown): runs everything queued, then ends.`,
		"  job_dispatcher --workers=4 --aging=60")
	at := jobs.Place{}
	p.StringVar(&at.Queue, "queue", jobs.DefaultQueue, "`name` of the message queue")
	p.StringVar(&at.State, "state", "", "`directory` of the jobs (default $XDG_RUNTIME_DIR/unpipc-jobs-QUEUE or /tmp/unpipc-jobs-UID-QUEUE)")
	p.IntVar(&at.MaxMessages, "max-messages", 0, "`number` of messages that a new queue holds (default 10)")
	p.IntVar(&at.MessageSize, "message-size", 0, "`bytes` of a message in a new queue (default 8192)")
	workers := p.Int("workers", 1, "`number` of jobs at once")
	waiting := p.Int("max-waiting", 100, "`number` of jobs taken out of the queue that wait to be run")
	aging := p.Float64("aging", 0, "`seconds` in which a waiting job gains one priority (default: never)")
	notify := p.String("notify", string(jobs.BySignal), "how the queue tells of a message: signal or thread")
	p.Parse(os.Args[1:])
	switch err := jobs.CheckQueueName(at.Queue); {
	case p.NArg() > 0:
		p.BadUsage("takes no arguments")
	case err != nil:
		p.BadUsage("--queue %v", err)
	case p.Changed("max-messages") && at.MaxMessages < 1 || p.Changed("message-size") && at.MessageSize < 1:
		p.BadUsage("--max-messages and --message-size must be at least 1")
	case *workers < 1 || *workers > 10000:
		p.BadUsage("--workers must be from 1 to 10000")
	case *waiting < 0:
		p.BadUsage("--max-waiting must not be negative")
	case !(*aging >= 0 && *aging <= jobs.MaxAging.Seconds()):
		p.BadUsage("--aging must be from 0 to %g", jobs.MaxAging.Seconds())
	case *notify != string(jobs.BySignal) && *notify != string(jobs.ByThread):
		p.BadUsage("--notify must be signal or thread")
	}
	p.Exit(dispatch(at, jobs.Options{
		Workers: *workers, MaxWaiting: *waiting,
		Aging: time.Duration(*aging * float64(time.Second)), Notify: jobs.Notify(*notify),
	}))
}

func dispatch(at jobs.Place, opts jobs.Options) error {
	// A write to a closed standard output is an error, not the end without a report.
	signal.Ignore(syscall.SIGPIPE)
	// Before there is a lock by which others find this process.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGUSR2)
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if !signal.Ignored(sig) { // as in the background of a script
			signal.Notify(signals, sig)
		}
	}
	d, err := jobs.Start(at, opts, os.Stdout)
	if err != nil {
		return err
	}
	return d.Run(signals)
}
