// Command event_cons takes messages of three sources, one of each at once.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"unpipc/gobind/sysvmq"
	"unpipc/gobind/sysvsem"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
	"unpipc/projects/internal/marks"
	"unpipc/projects/lectures/l09event"
)

func main() {
	p := cli.New("event_cons", "",
		"Takes messages that event_source has sent, always one of each of the three sources at\n"+
			"once, until the queue is removed.",
		"  event_cons\n  event_cons --count 1")
	key := lecture.KeyFlag(p, 9)
	count := p.Int("count", 0, "end after so many triples (0: never)")
	p.ParseFlags(os.Args[1:])
	if *count < 0 {
		p.BadUsage("--count must be at least 0")
	}
	p.Exit(run(cli.UntilSignal(), key, *count))
}

func run(ctx context.Context, keyOf func() (sysvmq.Key, error), count int) error {
	key, err := keyOf()
	if err != nil {
		return err
	}
	q, err := sysvmq.Get(key, 0)
	if err != nil {
		return err
	}
	set, err := sysvsem.Get(key, l09event.Sources+1, 0)
	if err != nil {
		return err
	}
	if err := set.Initialized(ctx); err != nil {
		return err
	}
	// So that they are not taken for left over while this one waits.
	if _, err := marks.Share(l09event.Scope, marks.Semaphores, key.String(), set.ID(), false); err != nil {
		return err
	}
	if _, err := marks.Share(l09event.Scope, marks.Queue, key.String(), q.ID(), false); err != nil {
		return err
	}
	for n := 0; count == 0 || n < count; n++ {
		if err := l09event.Take(ctx, set, q, show); l09event.Removed(err) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// show prints the messages with their line ends, as the lecture does.
func show(events [l09event.Sources]l09event.Event) error {
	var text strings.Builder
	for i, e := range events {
		fmt.Fprintf(&text, "Received %d\nType = %d, size = %d, str = %s\n", e.Bytes, i+1, e.Size, e.Text)
	}
	return lecture.Say("%s", text.String())
}
