package p10sempool

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// backendPatience is what a connect or an answer to --ping may take: deaths are to be
// noticed meanwhile.
const backendPatience = 400 * time.Millisecond

// Backend is the server whose connections the pool lends.
type Backend struct {
	text      string
	host      string // "" for a path
	port      uint16
	addresses []unix.Sockaddr
	ping      string
}

// ParseBackend reads tcp://HOST:PORT or unix:///PATH. ping, if it is not "", is sent as a
// line to each connection before it is lent, and a line must come back.
func ParseBackend(text, ping string) (*Backend, error) {
	b := &Backend{text: text, ping: ping}
	if path, ok := strings.CutPrefix(text, "unix://"); ok {
		if !strings.HasPrefix(path, "/") || len(path) > 107 {
			return nil, errors.New("unix:// is followed by an absolute path of at most 107 bytes")
		}
		b.addresses = []unix.Sockaddr{&unix.SockaddrUnix{Name: path}}
		return b, nil
	}
	rest, ok := strings.CutPrefix(text, "tcp://")
	host, port, err := net.SplitHostPort(rest)
	if !ok || err != nil || host == "" {
		return nil, fmt.Errorf("it is tcp://HOST:PORT or unix:///PATH, not %q", text)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return nil, fmt.Errorf("the port must be from 1 to 65535, not %q", port)
	}
	b.host, b.port = host, uint16(n)
	return b, nil
}

// resolve looks the host's addresses up.
func (b *Backend) resolve() error {
	if b.host == "" {
		return nil
	}
	found, err := net.DefaultResolver.LookupNetIP(context.Background(), "ip", b.host)
	if err != nil {
		return fmt.Errorf("%s: %w", b.text, err)
	}
	b.addresses = nil
	for _, a := range found {
		b.addresses = append(b.addresses, sockaddr(a.Unmap(), b.port))
	}
	return nil
}

func sockaddr(a netip.Addr, port uint16) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Port: int(port), Addr: a.As4()}
	}
	return &unix.SockaddrInet6{Port: int(port), Addr: a.As16()}
}

// dial opens a connection. Its descriptor is a blocking one: workers get the same open
// file, and may be written in anything.
func (b *Backend) dial() (int, error) {
	err := error(unix.ENOENT)
	for _, a := range b.addresses {
		family := unix.AF_INET
		switch a.(type) {
		case *unix.SockaddrInet6:
			family = unix.AF_INET6
		case *unix.SockaddrUnix:
			family = unix.AF_UNIX
		}
		var fd int
		if fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err != nil {
			break
		}
		if err = connect(fd, a); err == nil {
			if err = unix.SetNonblock(fd, false); err == nil {
				return fd, nil
			}
		}
		_ = unix.Close(fd)
	}
	return -1, fmt.Errorf("connect %s: %w", b.text, err)
}

// connect connects a non-blocking socket.
func connect(fd int, to unix.Sockaddr) error {
	err := unix.Connect(fd, to)
	if err != unix.EINPROGRESS && err != unix.EINTR {
		return err // a Unix socket's EAGAIN says that its queue is full
	}
	if err := pollUntil(fd, unix.POLLOUT, time.Now().Add(backendPatience)); err != nil {
		return err
	}
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	return err
}

// pollUntil waits for a descriptor. Error: ETIMEDOUT.
func pollUntil(fd int, events int16, deadline time.Time) error {
	on := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		left := max(0, time.Until(deadline))
		n, err := unix.Poll(on, int((left+time.Millisecond-1)/time.Millisecond))
		if n > 0 {
			return nil
		}
		if err != nil && err != unix.EINTR {
			return err
		}
		if err == nil && left == 0 {
			return unix.ETIMEDOUT
		}
	}
}

// ask sends a line and returns the line that comes back, without its end.
func ask(fd int, text string, deadline time.Time) (string, error) {
	line := []byte(text + "\r\n")
	for len(line) > 0 {
		n, err := unix.SendmsgN(fd, line, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		if err == unix.EAGAIN {
			err = pollUntil(fd, unix.POLLOUT, deadline)
		}
		if err != nil && err != unix.EINTR {
			return "", err
		}
		line = line[max(0, n):]
	}
	var got []byte
	for len(got) < 1024 {
		var b [1]byte
		n, _, err := unix.Recvfrom(fd, b[:], unix.MSG_DONTWAIT)
		switch {
		case err == unix.EAGAIN || err == unix.EINTR:
			if err := pollUntil(fd, unix.POLLIN, deadline); err != nil {
				return "", err
			}
		case err != nil:
			return "", err
		case n == 0:
			return "", errClosed
		case b[0] == '\n':
			return strings.TrimRight(string(got), "\r"), nil
		default:
			got = append(got, b[0])
		}
	}
	return "", errors.New("no line came back")
}

var errClosed = errors.New("closed by the server")

// broken says why a connection cannot be lent, nil if it can.
func (b *Backend) broken(fd int) error {
	var one [1]byte
	n, _, err := unix.Recvfrom(fd, one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	switch {
	case err == unix.EINTR:
		return b.broken(fd)
	case err == nil && n == 0:
		return errClosed
	case err == nil:
		return errors.New("unread data in it")
	case err != unix.EAGAIN:
		return err
	case b.ping == "":
		return nil
	}
	_, err = ask(fd, b.ping, time.Now().Add(backendPatience))
	if err == unix.ETIMEDOUT {
		err = errors.New("no answer to --ping")
	}
	return err
}

// drop closes a connection for all who have it.
func drop(fd int) {
	_ = unix.Shutdown(fd, unix.SHUT_RDWR)
	_ = unix.Close(fd)
}
