// Command msgget makes a System V message queue, describes it and removes it.
package main

import (
	"context"
	"errors"
	"os"

	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
)

func main() {
	p := cli.New("msgget", "",
		"Makes a System V message queue or finds it, describes it, tries to make it once more,\n"+
			"removes it, and prints the limits for all queues.",
		"  msgget\n  msgget --key 0x1234 --keep && ipcs -q && msgget --key 0x1234")
	key := lecture.KeyFlag(p, 6)
	keep := p.Bool("keep", false, "do not remove the queue")
	p.ParseFlags(os.Args[1:])
	ctx := cli.UntilSignal()
	err := run(key, *keep)
	if err == nil {
		err = context.Cause(ctx)
	}
	p.Exit(err)
}

func run(keyOf func() (sysvmq.Key, error), keep bool) error {
	key, err := keyOf()
	if err != nil {
		return err
	}
	q, mark, err := lecture.MakeQueue("lecture-6", key)
	if q == nil {
		return err
	}
	if err == nil {
		err = describe(key, q)
	}
	if keep {
		err = errors.Join(err, mark.Leave())
	} else {
		err = errors.Join(err, q.Remove(), mark.Remove())
	}
	if err != nil {
		return err
	}
	limits, err := sysvmq.ReadInfo()
	if err != nil {
		return err
	}
	return lecture.Say("\nSystem wide settings:\nmax message size = %d\nmax queue bytes = %d\n"+
		"max number of message queues = %d\n", limits.MaxMessage, limits.MaxQueueBytes, limits.MaxQueues)
}

func describe(key sysvmq.Key, q *sysvmq.Queue) error {
	if err := lecture.Say("key = %d, queue_id = %d\n", int32(key), q.ID()); err != nil {
		return err
	}
	st, err := q.Stat()
	if err != nil {
		return err
	}
	if err := lecture.Say("message count = %d\nmax queue bytes = %d\n", st.Messages, st.MaxBytes); err != nil {
		return err
	}
	if _, err := sysvmq.Get(key, sysvmq.Create|sysvmq.Excl); err != nil {
		return lecture.Say("second msgget returned '%s'\n", lecture.Strerror(err))
	}
	return nil
}
