// Command sock_server adds 1 to numbers, in a thread for each client.
package main

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread"
	"unpipc/gobind/unixsock"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
	"unpipc/projects/internal/marks"
	"unpipc/projects/lectures/l15sockserver"
)

func main() {
	p := cli.New("sock_server", "",
		"Sends each number that a sock_client sends back to it, with 1 added, in a thread for\n"+
			"each client, until SIGINT or SIGTERM.",
		"  sock_server & echo 1 | sock_client; kill $!")
	path := p.String("socket", "sock_server", "the `path` of the socket")
	p.ParseFlags(os.Args[1:])
	p.Exit(run(cli.UntilSignal(), p, *path))
}

func run(ctx context.Context, p *cli.Program, path string) error {
	mark, err := marks.Claim("lecture-15", marks.Socket, path)
	if err != nil {
		return err
	}
	l, err := listen(path)
	if err != nil {
		return errors.Join(err, mark.Remove())
	}
	if err = mark.RecordFile(path); err == nil {
		err = serve(ctx, p, l)
	}
	return errors.Join(err, os.Remove(path), mark.Remove())
}

// listen takes over the name that a killed server has left: nobody accepts there. This
// process has claimed it.
func listen(path string) (*unixsock.Listener, error) {
	l, err := unixsock.Listen(unixsock.Stream, path)
	if errors.Is(err, unix.EADDRINUSE) {
		conn, dialErr := unixsock.Dial(unixsock.Stream, path)
		if dialErr == nil {
			return nil, errors.Join(err, conn.Close())
		} else if !errors.Is(dialErr, unix.ECONNREFUSED) {
			return nil, err
		}
		if st, statErr := os.Lstat(path); statErr != nil || st.Mode().Type() != os.ModeSocket {
			return nil, err
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
		l, err = unixsock.Listen(unixsock.Stream, path)
	}
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	return l, err
}

func serve(ctx context.Context, p *cli.Program, l *unixsock.Listener) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	for {
		client, err := l.AcceptContext(ctx)
		if errors.Is(err, unix.EMFILE) {
			p.Complain("%v", err)
			time.Sleep(10 * time.Millisecond) // until one leaves
			continue
		} else if err != nil {
			return err
		}
		pthread.Go(func() {
			if err := talk(ctx, client); l15sockserver.Closed(err) {
				err = lecture.Say("Closed connection\n")
				if err != nil {
					end(err)
				}
			} else if context.Cause(ctx) == nil {
				p.Complain("%v", err)
			}
			_ = client.Close()
		})
	}
}

func talk(ctx context.Context, client *unixsock.Conn) error {
	if err := lecture.Say("New client created\n"); err != nil {
		return err
	}
	for {
		number, err := l15sockserver.Receive(ctx, client)
		if err != nil {
			return err
		}
		if err := lecture.Say("Received %d\n", number); err != nil {
			return err
		}
		if err := l15sockserver.Send(ctx, client, number+1); err != nil {
			return err
		}
		if err := lecture.Say("Sent %d\n", number+1); err != nil {
			return err
		}
	}
}
