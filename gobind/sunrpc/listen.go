package sunrpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
)

// listener is an address of a server.
type listener struct {
	fd     int // blocking
	stream bool
	addr   net.Addr
}

// Listen adds an address, before Serve: network "tcp", "udp" or "unix", and one of package
// net's with a digit. Calls that come before Serve wait. It returns the address, with the
// port that the kernel chose for port 0. A Unix domain socket has mode 0600, which may be
// changed now, and is removed in the end; one that is already there is an error.
// Errors: *net.OpError (EADDRINUSE, EACCES …).
func (s *Server) Listen(network, addr string) (net.Addr, error) {
	config := net.ListenConfig{Control: func(network, _ string, raw syscall.RawConn) error {
		if network != "unix" {
			return nil
		}
		var err error
		// Before bind, which makes the file with the mode of the socket.
		return errors.Join(raw.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), 0o600) }), err)
	}}
	l := &listener{stream: !strings.HasPrefix(network, "udp")}
	var err error
	if l.stream {
		var nl net.Listener
		if nl, err = config.Listen(context.Background(), network, addr); err != nil {
			return nil, err
		}
		if u, ok := nl.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false)
		}
		l.addr = nl.Addr()
		l.fd, err = take(nl)
	} else {
		var pc net.PacketConn
		if pc, err = config.ListenPacket(context.Background(), network, addr); err != nil {
			return nil, err
		}
		l.addr = pc.LocalAddr()
		l.fd, err = take(pc)
	}
	if err != nil {
		return nil, err
	}
	s.listeners = append(s.listeners, l)
	return l.addr, nil
}

// accept serves what comes to an address until ctx ends.
func (s *Server) accept(ctx context.Context, l *listener) error {
	if !l.stream {
		for range s.options.DatagramThreads {
			c, errno := newConn(s, l, l.fd, nil)
			if errno != 0 {
				return errs.Call("socket", errno)
			}
			if !s.add(c, c.serve) {
				c.close()
			}
		}
		<-ctx.Done()
		return nil
	}
	for {
		var fd int
		var from unix.Sockaddr
		err := blocking.Do(ctx, func() (errno syscall.Errno) {
			var err error
			fd, from, err = unix.Accept4(l.fd, unix.SOCK_CLOEXEC)
			return errs.Errno(err)
		})
		switch {
		case err == nil:
			s.admit(l, fd, remoteOf(from))
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE), errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.ENOMEM):
			// It stays in the queue; others will end.
			if wait(ctx, 10*time.Millisecond) != nil {
				return nil
			}
		case errors.Is(err, unix.EBADF), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOTSOCK):
			return fmt.Errorf("accept %s: %w", l.addr, err)
		default:
			// Errors of a connection that is gone already: accept(2).
		}
	}
}

func (s *Server) admit(l *listener, fd int, remote net.Addr) {
	if _, ok := remote.(*net.TCPAddr); ok {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	c, errno := newConn(s, l, fd, remote)
	if errno != 0 {
		s.ended(remote, errno)
		return
	}
	if !s.add(c, c.serve) {
		c.close()
		s.ended(remote, unix.EUSERS)
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Server) closeListeners() error {
	var failures []error
	for _, l := range s.listeners {
		if u, ok := l.addr.(*net.UnixAddr); ok && !strings.HasPrefix(u.Name, "@") {
			if err := os.Remove(u.Name); !errors.Is(err, os.ErrNotExist) {
				failures = append(failures, err)
			}
		}
		failures = append(failures, errs.Call("close", errs.Errno(unix.Close(l.fd))))
	}
	s.listeners = nil
	return errors.Join(failures...)
}

func remoteOf(from unix.Sockaddr) net.Addr {
	switch a := from.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	case *unix.SockaddrUnix:
		return &net.UnixAddr{Net: "unix", Name: a.Name}
	}
	return nil
}
