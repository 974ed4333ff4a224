package p16rpccalc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
)

// pingTimeout is how long a server whose registration is in the way has to show that it
// lives. One that does not answer in time is taken for busy, not for dead.
const pingTimeout = 2 * time.Second

// versions are both versions under a number.
func versions(number uint32) []sunrpc.Program {
	return []sunrpc.Program{
		{Number: number, Version: calc.V1.Version},
		{Number: number, Version: calc.V2.Version},
	}
}

// clear removes what a killed server has left in rpcbind's table. A living server's
// registration is an error.
func clear(ctx context.Context, number uint32) error {
	for _, p := range versions(number) {
		for _, network := range []string{"tcp", "udp"} {
			port, err := sunrpc.LocalRpcbind.GetPort(ctx, p, network)
			switch {
			case errors.Is(err, sunrpc.NotRegistered):
			case err != nil:
				return fmt.Errorf("no rpcbind to register with: %w; --port needs none", cause(err))
			case alive(ctx, network, port, p):
				return fmt.Errorf("%v is registered already, for a server at %s port %d", p, network, port)
			}
		}
	}
	for _, p := range versions(number) {
		// What is another user's stays; Register says so.
		if err := sunrpc.LocalRpcbind.Unset(ctx, p, ""); err != nil && !errors.Is(err, sunrpc.ErrRefused) {
			return err
		}
	}
	return nil
}

// alive says whether somebody serves a program at a port of this host.
func alive(ctx context.Context, network string, port int, p sunrpc.Program) bool {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	c, err := sunrpc.Dial(ctx, network+"4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), p, sunrpc.Options{Timeout: pingTimeout})
	if err == nil {
		err = c.Null(ctx)
		_ = c.Close()
	}
	return err == nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, unix.ETIMEDOUT) ||
		errors.Is(err, sunrpc.TimedOut) || errors.Is(err, sunrpc.AuthError)
}

// cause is the errno inside an error, or the error.
func cause(err error) error {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
