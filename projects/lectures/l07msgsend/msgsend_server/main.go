// Command msgsend_server receives three messages by their types.
package main

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
	"unpipc/projects/lectures/l07msgsend"
)

const pause = 10 * time.Millisecond

func main() {
	p := cli.New("msgsend_server", "",
		"Makes a System V message queue, receives a message of any type, one of type 60 and one\n"+
			"of the lowest type up to 200, and removes the queue.",
		"  msgsend_server & msgsend_client; wait\n  msgsend_server --key 0x1234 --nowait")
	key := lecture.KeyFlag(p, 7)
	nowait := p.Bool("nowait", false, "do not wait for messages: try with IPC_NOWAIT, again and again")
	p.ParseFlags(os.Args[1:])
	p.Exit(serve(key, *nowait))
}

func serve(keyOf func() (sysvmq.Key, error), nowait bool) error {
	ctx := cli.UntilSignal()
	key, err := keyOf()
	if err != nil {
		return err
	}
	q, mark, err := lecture.MakeQueue("lecture-7", key)
	if q == nil {
		return err
	}
	if err == nil {
		err = lecture.Say("connected to queue %d\n", q.ID())
	}
	if err == nil && !nowait {
		err = untilFilled(ctx, q)
	}
	for _, want := range []int64{0, 60, -200} {
		if err == nil {
			err = receive(ctx, q, want, nowait)
		}
	}
	return errors.Join(err, q.Remove(), mark.Remove())
}

// untilFilled looks again and again whether a message is there, as the lecture does;
// msgrcv by itself would sleep.
func untilFilled(ctx context.Context, q *sysvmq.Queue) error {
	for {
		st, err := q.Stat()
		if err != nil {
			return err
		}
		if st.Messages > 0 {
			return lecture.Say("message count = %d\n", st.Messages)
		}
		if err := sleep(ctx); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(pause):
		return nil
	}
}

func receive(ctx context.Context, q *sysvmq.Queue, want int64, nowait bool) error {
	flags := 0
	if nowait {
		flags = sysvmq.NoWait
	}
	for {
		n, mtype, size, text, err := l07msgsend.Receive(ctx, q, want, flags)
		if errors.Is(err, unix.ENOMSG) {
			if err := sleep(ctx); err != nil {
				return err
			}
			continue
		} else if err != nil {
			return err
		}
		return lecture.Say("received %d\ntype = %d, size = %d, str = %s\n", n, mtype, size, text)
	}
}
