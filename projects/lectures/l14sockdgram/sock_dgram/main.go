// Command sock_dgram is one of three processes that send numbers round.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/unixsock"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
	"unpipc/projects/internal/marks"
)

func main() {
	p := cli.New("sock_dgram", "ID",
		"Is one of three processes, 0, 1 and 2, with the sockets sock0, sock1 and sock2 in the\n"+
			"current directory. 0 reads numbers and sends them to 1, which adds 1 and sends them to\n"+
			"2, which adds 1 and sends them to 0.",
		"  sock_dgram 1 & sock_dgram 2 & sock_dgram 0")
	p.Parse(os.Args[1:])
	id, err := strconv.Atoi(p.Arg(0))
	if p.NArg() != 1 || err != nil || id < 0 || id > 2 {
		p.BadUsage("wants an ID from 0 to 2")
	}
	p.Exit(run(cli.UntilSignal(), p, id))
}

type member struct {
	p    *cli.Program
	sock *unixsock.Conn
	next unix.SockaddrUnix
}

func run(ctx context.Context, p *cli.Program, id int) error {
	name := fmt.Sprintf("sock%d", id)
	mark, err := marks.Claim("lecture-14", marks.Socket, name)
	if err != nil {
		return err
	}
	defer func() { _ = mark.Remove() }()
	fd, err := bind(name)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	if err := mark.RecordFile(name); err != nil {
		return err
	}
	m := member{p, unixsock.New(fd), unix.SockaddrUnix{Name: fmt.Sprintf("sock%d", (id+1)%3)}}
	if id == 0 {
		return m.initiate(ctx)
	}
	return m.work(ctx)
}

// bind gives a socket its name, which this process has claimed. A name stays when its
// process is killed; nobody can be connected to it then.
func bind(name string) (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	addr := &unix.SockaddrUnix{Name: name}
	err = unix.Bind(fd, addr)
	if err == unix.EADDRINUSE && unix.Connect(fd, addr) == unix.ECONNREFUSED {
		if err = os.Remove(name); err != nil {
			return -1, err
		}
		err = unix.Bind(fd, addr)
	}
	if err == nil {
		err = unix.Chmod(name, 0o600)
	}
	if err != nil {
		return -1, &fs.PathError{Op: "bind", Path: name, Err: err}
	}
	return fd, nil
}

// initiate sends each number that is typed and waits for what comes back.
func (m *member) initiate(ctx context.Context) error {
	for in := lecture.NewInput(os.Stdin); ; {
		line, err := in.Line(ctx)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		number, err := strconv.ParseInt(strings.TrimSpace(line), 10, 32)
		if err != nil {
			m.p.Complain("%s: not a number of 32 bits", line)
			continue
		}
		sent, err := m.send(ctx, int32(number))
		if err == nil && sent {
			_, err = m.receive(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// work sends on what comes, plus 1.
func (m *member) work(ctx context.Context) error {
	for {
		number, err := m.receive(ctx)
		if err == nil {
			_, err = m.send(ctx, number+1)
		}
		if err != nil {
			return err
		}
	}
}

// send says what it has sent, or why it could not.
func (m *member) send(ctx context.Context, number int32) (bool, error) {
	for {
		err := unix.Sendto(m.sock.Fd(), binary.NativeEndian.AppendUint32(nil, uint32(number)), unix.MSG_DONTWAIT, &m.next)
		switch {
		case err == nil:
			return true, lecture.Say("Sent %d\n", number)
		case err != unix.EAGAIN:
			return false, lecture.Say("error = %s\n", lecture.Strerror(err))
		}
		// The next one's queue is full. No descriptor here tells when there is room.
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (m *member) receive(ctx context.Context) (int32, error) {
	var datagram [5]byte // one more than a number, to see what is longer
	for {
		n, err := m.sock.ReadContext(ctx, datagram[:])
		if err != nil && !errors.Is(err, io.EOF) { // an empty datagram
			return 0, err
		}
		if n != 4 {
			m.p.Complain("a datagram that is no number")
			continue
		}
		number := int32(binary.NativeEndian.Uint32(datagram[:]))
		return number, lecture.Say("Received %d\n", number)
	}
}
