package p16rpccalc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
)

// ServerOptions say where a server is and how much it bears.
type ServerOptions struct {
	Networks []string // "tcp", "udp", "unix"
	Port     int      // 0: any, registered with rpcbind
	Path     string   // of the socket of "unix"
	Bind     string   // IPv4 address
	Program  uint32

	MaxConnections, MaxRecord int
	Idle                      time.Duration

	Check   func(*sunrpc.Request) error // of each call; nil: all are allowed
	Prepare func(*sunrpc.Server) error  // before it listens, for flavors of credentials; may be nil
}

func (o *ServerOptions) registered() bool {
	for _, network := range o.Networks {
		if network != "unix" && o.Port == 0 {
			return true
		}
	}
	return false
}

// Serve serves the calculator until ctx ends, and tells out where. Then the registration
// and the socket's file are gone.
func Serve(ctx context.Context, o ServerOptions, out io.Writer) (err error) {
	if o.registered() {
		if err := clear(ctx, o.Program); err != nil {
			return err
		}
	}
	s := sunrpc.NewServer(sunrpc.ServerOptions{
		MaxConns: o.MaxConnections, MaxRecord: o.MaxRecord, IdleTimeout: o.Idle, RecordTimeout: o.Idle,
		Check: o.Check,
	})
	if o.Prepare != nil {
		if err := o.Prepare(s); err != nil {
			return errors.Join(err, s.Close())
		}
	}
	for _, service := range calc.Services(calculator{}) {
		service.Program.Number = o.Program
		s.Handle(service)
	}
	if err := listen(ctx, s, o, out); err != nil {
		return errors.Join(err, s.Close())
	}
	return s.Serve(ctx)
}

func listen(ctx context.Context, s *sunrpc.Server, o ServerOptions, out io.Writer) error {
	for _, network := range o.Networks {
		if network == "unix" {
			if err := RemoveStale(o.Path); err != nil {
				return err
			}
			if _, err := s.Listen(network, o.Path); err != nil {
				return err
			}
			continue
		}
		if _, err := s.Listen(network+"4", net.JoinHostPort(o.Bind, strconv.Itoa(o.Port))); err != nil {
			return fmt.Errorf("%s port %d: %w", network, o.Port, cause(err))
		}
	}
	if o.registered() {
		if err := s.Register(ctx); errors.Is(err, sunrpc.ErrRefused) {
			return fmt.Errorf("rpcbind does not register program %#x: another user's registration is in the way", o.Program)
		} else if err != nil {
			return err
		}
		for _, p := range versions(o.Program) {
			if _, err := fmt.Fprintf(out, "Registered with portmapper: program %#x, version %d\n", p.Number, p.Version); err != nil {
				return err
			}
		}
	}
	for _, network := range o.Networks {
		where := fmt.Sprintf("%s port %d", network, o.Port)
		if network == "unix" {
			where = o.Path
		} else if o.Port == 0 {
			continue
		}
		if _, err := fmt.Fprintf(out, "Serving program %#x at %s\n", o.Program, where); err != nil {
			return err
		}
	}
	return nil
}

// RemoveStale removes the socket's file of a server that was killed: nobody listens.
func RemoveStale(path string) error {
	st, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if st.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s: there is a file that is no socket", path)
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		_ = c.Close()
		return fmt.Errorf("%s: a server is listening there", path)
	}
	if !errors.Is(err, unix.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}
