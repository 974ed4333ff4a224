// Command msgsend_client sends three messages of different types to msgsend_server.
package main

import (
	"os"

	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
	"unpipc/projects/lectures/l07msgsend"
)

func main() {
	p := cli.New("msgsend_client", "",
		"Sends messages of the types 100, 50 and 60 to msgsend_server.",
		"  msgsend_client\n  msgsend_client --key 0x1234")
	key := lecture.KeyFlag(p, 7)
	p.ParseFlags(os.Args[1:])
	p.Exit(send(key))
}

func send(keyOf func() (sysvmq.Key, error)) error {
	ctx := cli.UntilSignal()
	key, err := keyOf()
	if err != nil {
		return err
	}
	q, err := sysvmq.Get(key, 0)
	if err != nil {
		return err
	}
	if err := lecture.Say("connected to queue %d\n", q.ID()); err != nil {
		return err
	}
	for _, m := range []struct {
		mtype int64
		text  string
	}{{100, "hello, world"}, {50, "hello, world of type 50"}, {60, "hello, world of type 60"}} {
		n, err := l07msgsend.Send(ctx, q, m.mtype, m.text)
		if err != nil {
			return err
		}
		if err := lecture.Say("sent %d bytes\n", n); err != nil {
			return err
		}
	}
	return nil
}
