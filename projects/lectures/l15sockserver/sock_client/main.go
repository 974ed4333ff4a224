// Command sock_client sends numbers to sock_server and prints what comes back.
package main

import (
	"context"
	"io"
	"os"
	"strconv"
	"strings"

	"unpipc/gobind/unixsock"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
	"unpipc/projects/lectures/l15sockserver"
)

func main() {
	p := cli.New("sock_client", "",
		"Reads numbers, one a line, sends them to sock_server and prints what comes back.",
		"  printf '1\\n100\\n' | sock_client")
	path := p.String("socket", "sock_server", "the `path` of the socket")
	p.ParseFlags(os.Args[1:])
	p.Exit(run(cli.UntilSignal(), p, *path))
}

func run(ctx context.Context, p *cli.Program, path string) error {
	server, err := unixsock.DialContext(ctx, unixsock.Stream, path)
	if err != nil {
		return err
	}
	for in := lecture.NewInput(os.Stdin); ; {
		line, err := in.Line(ctx)
		if err == io.EOF {
			return server.Close()
		} else if err != nil {
			return err
		}
		number, err := strconv.ParseInt(strings.TrimSpace(line), 10, 32)
		if err != nil {
			p.Complain("%s: not a number of 32 bits", line)
			continue
		}
		if err = exchange(ctx, server, int32(number)); l15sockserver.Closed(err) {
			return lecture.Say("Closed connection\n")
		} else if err != nil {
			return err
		}
	}
}

func exchange(ctx context.Context, server *unixsock.Conn, number int32) error {
	if err := l15sockserver.Send(ctx, server, number); err != nil {
		return err
	}
	if err := lecture.Say("Sent %d\n", number); err != nil {
		return err
	}
	number, err := l15sockserver.Receive(ctx, server)
	if err != nil {
		return err
	}
	return lecture.Say("Received %d\n", number)
}
