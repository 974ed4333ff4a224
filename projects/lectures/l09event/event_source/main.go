// Command event_source sends lines into a queue as one of three sources.
package main

import (
	"context"
	"io"
	"os"
	"strconv"

	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
	"unpipc/projects/internal/marks"
	"unpipc/projects/lectures/l09event"
)

func main() {
	p := cli.New("event_source", "ID",
		"Sends each line that it reads into a queue, as the source 1, 2 or 3, and counts it in\n"+
			"a semaphore. When source 1 ends it removes the queue and the semaphores.",
		"  event_source 2")
	key := lecture.KeyFlag(p, 9)
	p.Parse(os.Args[1:])
	id, err := strconv.Atoi(p.Arg(0))
	if p.NArg() != 1 || err != nil || id < 1 || id > l09event.Sources {
		p.BadUsage("wants an ID from 1 to %d", l09event.Sources)
	}
	p.Exit(run(cli.UntilSignal(), p, key, id))
}

func run(ctx context.Context, p *cli.Program, keyOf func() (sysvmq.Key, error), id int) error {
	key, err := keyOf()
	if err != nil {
		return err
	}
	set, made, err := l09event.Sems(ctx, key)
	if err != nil {
		return err
	}
	semsMark, err := marks.Share(l09event.Scope, marks.Semaphores, key.String(), set.ID(), made)
	if id == 1 {
		defer func() { _, _ = set.Remove(), semsMark.Remove() }()
	}
	if err != nil {
		return err
	}
	greeting := "Connected to sems %d\n"
	if made {
		greeting = "Created sems with id %d\n"
	}
	if err := lecture.Say(greeting, set.ID()); err != nil {
		return err
	}
	q, queueMark, err := lecture.MakeQueue(l09event.Scope, key)
	if q != nil && id == 1 {
		defer func() { _, _ = q.Remove(), queueMark.Remove() }()
	}
	if err != nil {
		return err
	}
	if err := lecture.Say("Created/connected to queue %d\n", q.ID()); err != nil {
		return err
	}
	for in := lecture.NewInput(os.Stdin); ; {
		line, err := in.Line(ctx)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if len(line)+1 > l09event.MaxLine {
			p.Complain("a line of more than %d bytes", l09event.MaxLine-1)
			continue
		}
		n, err := l09event.Send(ctx, q, id, line+"\n")
		if err != nil {
			return err
		}
		if err := l09event.Count(set, id); err != nil {
			return err
		}
		if err := lecture.Say("Sent %d bytes\n", n); err != nil {
			return err
		}
	}
}
