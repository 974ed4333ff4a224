package unixsock

import (
	"context"
	"syscall"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
)

// Listener is a socket that others connect to.
type Listener struct {
	fd   int
	addr string
}

// backlog is how many connections wait to be accepted before the next one sleeps.
const backlog = 128

// Listen makes a socket with an address: a path, which must not be there yet and stays
// when the socket is closed; "@" and a name in the abstract name space, which is in no
// folder and gone with the socket; or "", for which the kernel chooses an abstract name
// that nobody has. An abstract name has no permissions: everybody in the network
// namespace may connect, and [Conn.Peer] tells who did. See bind(2), unix(7).
// Errors: *fs.PathError (EADDRINUSE; EACCES, ENOENT and others of paths; EINVAL: over 107 bytes).
func Listen(kind Kind, addr string) (*Listener, error) {
	fd, err := unix.Socket(unix.AF_UNIX, int(kind)|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, errs.Call("socket", errs.Errno(err))
	}
	l := &Listener{fd, addr}
	if err := l.bind(); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return l, nil
}

func (l *Listener) bind() error {
	if err := unix.Bind(l.fd, &unix.SockaddrUnix{Name: l.addr}); err != nil {
		return errs.Path("bind", l.addr, errs.Errno(err))
	}
	own, err := unix.Getsockname(l.fd)
	if err != nil {
		return errs.Path("getsockname", l.addr, errs.Errno(err))
	}
	if u, ok := own.(*unix.SockaddrUnix); ok {
		l.addr = u.Name
	}
	return errs.Path("listen", l.addr, errs.Errno(unix.Listen(l.fd, backlog)))
}

// Accept takes a connection, and sleeps while there is none; its descriptor is blocking
// and close-on-exec. Errors: *fs.PathError (EAGAIN: the descriptor was made non-blocking;
// EMFILE; ENFILE).
func (l *Listener) Accept() (*Conn, error) { return l.AcceptContext(context.Background()) }

// AcceptContext is [Listener.Accept] until ctx ends; then no connection was taken.
func (l *Listener) AcceptContext(ctx context.Context) (*Conn, error) {
	for {
		var fd int
		err := blocking.Do(ctx, func() syscall.Errno {
			var e error
			fd, _, e = unix.Accept4(l.fd, unix.SOCK_CLOEXEC)
			return errs.Errno(e)
		})
		if err == nil {
			return New(fd), nil
		}
		if errno, ok := err.(syscall.Errno); ok && errno != unix.ECONNABORTED {
			return nil, errs.Path("accept", l.addr, errno)
		} else if !ok {
			return nil, err
		}
	}
}

// Addr is the address, as [Dial] takes it.
func (l *Listener) Addr() string { return l.addr }

// Fd is the descriptor, which stays the listener's; -1 after Close.
func (l *Listener) Fd() int { return l.fd }

// Close closes the descriptor; a path stays. Error: EBADF the second time.
func (l *Listener) Close() error {
	fd := l.fd
	l.fd = -1
	return errs.Path("close", l.addr, errs.Errno(unix.Close(fd)))
}

// Dial connects to a [Listener]'s address. It sleeps while too many connections wait to
// be accepted. See connect(2).
// Errors: *fs.PathError (ECONNREFUSED: nobody listens; ENOENT; EACCES; EPROTOTYPE: another kind).
func Dial(kind Kind, addr string) (*Conn, error) {
	return DialContext(context.Background(), kind, addr)
}

// DialContext is [Dial] until ctx ends; then there is no connection.
func DialContext(ctx context.Context, kind Kind, addr string) (*Conn, error) {
	fd, err := unix.Socket(unix.AF_UNIX, int(kind)|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, errs.Call("socket", errs.Errno(err))
	}
	err = blocking.Do(ctx, func() syscall.Errno {
		return errs.Errno(unix.Connect(fd, &unix.SockaddrUnix{Name: addr}))
	})
	if err == nil {
		return New(fd), nil
	}
	_ = unix.Close(fd)
	if errno, ok := err.(syscall.Errno); ok {
		return nil, errs.Path("connect", addr, errno)
	}
	return nil, err
}
