// Command socketpair sends messages of given sizes to a child through a pair of sockets.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
	"unpipc/gobind/process"
	"unpipc/gobind/unixsock"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
)

const maxSize = 1024 * 1024

func main() {
	p := cli.New("socketpair", "stream|dgram",
		"Reads sizes, one a line, and sends so many bytes each time through a socketpair to a\n"+
			"child process, which tells how much each of its reads returned.",
		"  printf '30000\\n1000000\\n' | socketpair stream\n  printf '30000\\n1000000\\n' | socketpair dgram")
	client := p.Bool("client", false, "")
	_ = p.MarkHidden("client") // the child's
	p.Parse(os.Args[1:])
	kind, known := map[string]int{"stream": unix.SOCK_STREAM, "dgram": unix.SOCK_DGRAM}[p.Arg(0)]
	switch {
	case *client:
		p.Exit(receive(unixsock.New(3), 4))
	case p.NArg() != 1 || !known:
		p.BadUsage("wants stream or dgram")
	}
	p.Exit(serve(cli.UntilSignal(), p, kind))
}

// serve gives the child the end of a pipe, too: a datagram socket never tells it that
// this process has ended, however that came about.
func serve(ctx context.Context, p *cli.Program, kind int) error {
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socketpair", err)
	}
	theirs, ours, err := pipe.New(0)
	if err != nil {
		return err
	}
	child, err := process.Start(&process.Cmd{Args: []string{p.Name, "--client"}, Path: "/proc/self/exe",
		Files: []int{-1, 1, 2, fds[1], theirs.Fd()}})
	if err != nil {
		return err
	}
	if err := errors.Join(unix.Close(fds[1]), theirs.Close()); err != nil {
		return err
	}
	err = send(ctx, p, unixsock.New(fds[0]))
	err = errors.Join(err, ours.Close())
	status, waitErr := child.Wait()
	if err == nil && waitErr == nil && status.Code() != 0 {
		err = fmt.Errorf("the client: %s", status)
	}
	return errors.Join(err, waitErr)
}

func send(ctx context.Context, p *cli.Program, to *unixsock.Conn) error {
	message := make([]byte, maxSize)
	for in := lecture.NewInput(os.Stdin); ; {
		line, err := in.Line(ctx)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		size, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || size < 1 || size > maxSize {
			p.Complain("%s: not a size from 1 to %d", line, maxSize)
			continue
		}
		_, err = to.WriteContext(ctx, message[:size])
		switch {
		case errors.Is(err, unix.EMSGSIZE):
			err = lecture.Say("error = %s\n", lecture.Strerror(err))
		case err == nil:
			err = lecture.Say("Server sent %d\n", size)
		}
		if err != nil {
			return err
		}
	}
}

// receive is the child: it reads until the other end of the pipe is closed and no more
// is there to read. Poll looks at the pipe first: what was sent before that was closed
// is there then.
func receive(from *unixsock.Conn, life int) error {
	buffer := make([]byte, maxSize)
	for {
		fds := []unix.PollFd{{Fd: int32(life)}, {Fd: int32(from.Fd()), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); errors.Is(err, unix.EINTR) {
			continue
		} else if err != nil {
			return os.NewSyscallError("poll", err)
		}
		if fds[1].Revents == 0 {
			return nil
		}
		n, err := from.Read(buffer)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := lecture.Say("Client received %d\n", n); err != nil {
			return err
		}
	}
}
