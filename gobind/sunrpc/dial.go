package sunrpc

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Options of a [Client].
type Options struct {
	Auth Auth // nil: AuthNone

	// Timeout is how long a call waits for its answer to come or to go on: 0 is 25 s. A
	// server that sends a byte now and then is bounded by the context alone.
	Timeout time.Duration

	// Retry is the time after which a call over "udp" is sent again: 0 is 1 s. A procedure
	// may then run twice.
	Retry time.Duration
}

// Dial connects to a server whose address is known. network is "tcp", "udp", "unix", or
// one of package net's with a digit; addr is as for net.Dial. Over "udp" nothing is sent,
// and a call and its answer hold 8,800 bytes at most.
// Errors: *net.OpError (ECONNREFUSED, ENOENT …); those of [GSS]; the cause of ctx.
func Dial(ctx context.Context, network, addr string, p Program, o Options) (*Client, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(undated{ctx}, network, addr)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	fd, err := take(conn)
	if err != nil {
		return nil, err
	}
	c, err := newClient(fd, conn.RemoteAddr(), p, o)
	if err != nil {
		return nil, err
	}
	if o.Auth != nil {
		if err := o.Auth.attach(ctx, c); err != nil {
			_ = c.Close()
			return nil, err
		}
	}
	return c, nil
}

// undated hides the deadline: package net would act on it a moment before the context
// ends, and with an error of its own.
type undated struct{ context.Context }

func (undated) Deadline() (time.Time, bool) { return time.Time{}, false }

// DialHost asks the host's rpcbind for the program's address, and connects to it.
// network is "tcp" or "udp"; for "unix" this host's rpcbind is asked.
// Errors: [*Error] (BinderFailure, NotRegistered); those of [Dial].
func DialHost(ctx context.Context, host, network string, p Program, o Options) (*Client, error) {
	if network == "unix" {
		addr, err := LocalRpcbind.GetAddr(ctx, p, "local")
		if err != nil {
			return nil, err
		}
		return Dial(ctx, network, addr, p, o)
	}
	port, err := RpcbindOf(host).GetPort(ctx, p, network)
	if err != nil {
		return nil, err
	}
	return Dial(ctx, network, net.JoinHostPort(host, strconv.Itoa(port)), p, o)
}

// take makes a blocking descriptor of a connection or listener of package net, which it
// closes.
func take(from io.Closer) (fd int, err error) {
	raw, err := from.(syscall.Conn).SyscallConn()
	if err != nil {
		return -1, errors.Join(err, from.Close())
	}
	var failure error
	err = raw.Control(func(old uintptr) {
		fd, failure = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 3)
	})
	if err = errors.Join(err, failure, from.Close()); err != nil {
		return -1, err
	}
	return fd, unix.SetNonblock(fd, false)
}
