package p16rpccalc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
)

// Target says where a server is, and in which version it is asked.
type Target struct {
	Host    string
	Network string // "tcp", "udp", "unix"
	Port    int    // 0: rpcbind at the host is asked
	Path    string // of the socket of "unix"
	Program sunrpc.Program
	// Exact is false where a server of version 1 only may be asked in version 1.
	Exact   bool
	Timeout time.Duration // for reaching the server, and for each call
	Auth    sunrpc.Auth   // nil: none
}

// Refusal is a call or a connection that failed for its credentials.
type Refusal struct {
	Where string
	Err   *sunrpc.Error
}

func (r *Refusal) Error() string { return r.Where + ": the server wants other credentials" }

func (r *Refusal) Unwrap() error { return r.Err }

// Client asks a server, one question at a time.
type Client struct {
	target Target
	port   int // what rpcbind said
	conn   *sunrpc.Client
	calc   *calc.Client
}

// Dial connects to a server.
func Dial(t Target) (*Client, error) {
	c := &Client{target: t}
	if err := c.dial(); err != nil {
		return nil, err
	}
	return c, nil
}

// Close closes the connection.
func (c *Client) Close() error { return c.conn.Close() }

func (c *Client) dial() error {
	t := &c.target
	ctx, cancel := context.WithTimeout(context.Background(), t.Timeout)
	defer cancel()
	network, addr, err := c.locate(ctx)
	if err != nil {
		return err
	}
	c.conn, err = sunrpc.Dial(ctx, network, addr, t.Program, sunrpc.Options{Auth: t.Auth, Timeout: t.Timeout})
	var failure *sunrpc.Error
	switch {
	case errors.As(err, &failure) && failure.Status == sunrpc.AuthError:
		return &Refusal{c.where(), failure}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, unix.ETIMEDOUT):
		return fmt.Errorf("%s: no connection within %g s", c.where(), t.Timeout.Seconds())
	case err != nil && t.Network != "unix" && t.Port == 0:
		return fmt.Errorf("%s: program %#x is registered at %s port %d, but nobody listens there: %w",
			t.Host, t.Program.Number, t.Network, c.port, cause(err))
	case err != nil:
		return fmt.Errorf("%s: no server there: %w", c.where(), cause(err))
	}
	c.calc = calc.NewClient(c.conn, t.Program.Version)
	return nil
}

// locate finds out the server's address.
func (c *Client) locate(ctx context.Context) (network, addr string, err error) {
	t := &c.target
	if t.Network == "unix" {
		return t.Network, t.Path, nil
	}
	hosts, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", t.Host)
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", t.Host, err)
	}
	host := hosts[0].Unmap().String()
	c.port = t.Port
	if c.port == 0 {
		c.port, err = sunrpc.RpcbindOf(host).GetPort(ctx, t.Program, t.Network)
		switch {
		case errors.Is(err, sunrpc.NotRegistered):
			return "", "", fmt.Errorf("%s: program %#x is not registered there for %s", t.Host, t.Program.Number, t.Network)
		case errors.Is(err, context.DeadlineExceeded):
			return "", "", fmt.Errorf("%s: no rpcbind answers there within %g s; --port needs none", t.Host, t.Timeout.Seconds())
		case err != nil:
			return "", "", fmt.Errorf("%s: no rpcbind answers there: %w; --port needs none", t.Host, cause(err))
		}
	}
	return t.Network + "4", net.JoinHostPort(host, strconv.Itoa(c.port)), nil
}

// Ask asks a question. The error says what of all that can go wrong did. Without a
// deadline in ctx, a server that sends a byte now and then is waited for.
func (c *Client) Ask(ctx context.Context, q Question) (int32, error) {
	result, err := q.ask(ctx, c.calc)
	var failure *sunrpc.Error
	if errors.As(err, &failure) && failure.Status == sunrpc.VersionMismatch && !c.target.Exact && failure.Low <= calc.V1.Version {
		_ = c.conn.Close()
		c.target.Program.Version, c.target.Exact = calc.V1.Version, true
		if err := c.dial(); err != nil {
			return 0, err
		}
		result, err = q.ask(ctx, c.calc)
	}
	if err != nil {
		return 0, c.explain(q, err)
	}
	return result, nil
}

// explain is an error in the words of a calculator's user.
func (c *Client) explain(q Question, err error) error {
	p := c.target.Program
	var failure *sunrpc.Error
	errors.As(err, &failure)
	var status calc.Status
	switch {
	case errors.Is(err, calc.Overflow):
		return fmt.Errorf("%v: overflow: the result is no 32-bit integer", &q)
	case errors.Is(err, calc.DivisionByZero):
		return fmt.Errorf("%v: division by zero", &q)
	case errors.Is(err, calc.Malformed):
		return fmt.Errorf("%v: not an expression in postfix notation", &q)
	case errors.As(err, &status):
		return fmt.Errorf("%v: the server says %d instead of a result", &q, status)
	case errors.Is(err, sunrpc.TimedOut), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: no answer within %g s", c.where(), c.target.Timeout.Seconds())
	case errors.Is(err, sunrpc.ProgramUnavailable):
		return fmt.Errorf("%s: there is a server, but not of program %#x", c.where(), p.Number)
	case errors.Is(err, sunrpc.VersionMismatch):
		return fmt.Errorf("%s: program %#x has versions %d to %d, not %d", c.where(), p.Number, failure.Low, failure.High, p.Version)
	case errors.Is(err, sunrpc.ProcedureUnavailable):
		return fmt.Errorf("%s: version %d of program %#x has no procedure %s", c.where(), p.Version, p.Number, q.words[0])
	case errors.Is(err, sunrpc.SystemError) && p.Version == calc.V1.Version:
		return fmt.Errorf("%s: the server failed; in version 1 that may be an overflow, which it has no result for", c.where())
	case errors.Is(err, sunrpc.SystemError):
		return fmt.Errorf("%s: the server failed", c.where())
	case errors.Is(err, sunrpc.CantDecodeArgs):
		return fmt.Errorf("%s: the server cannot decode the arguments", c.where())
	case errors.Is(err, sunrpc.CantDecodeResult):
		return fmt.Errorf("%s: the answer is not what calc.x says", c.where())
	case errors.Is(err, sunrpc.AuthError):
		return &Refusal{c.where(), failure}
	case errors.Is(err, sunrpc.RPCVersionMismatch):
		return fmt.Errorf("%s: the server speaks another version of RPC", c.where())
	case errors.Is(err, unix.ECONNREFUSED): // of a datagram
		return fmt.Errorf("%s: nobody listens there: %w", c.where(), unix.ECONNREFUSED)
	case errors.Is(err, sunrpc.CantSend), errors.Is(err, sunrpc.CantReceive):
		why := failure.Err
		if why == nil {
			why = io.EOF
		}
		return fmt.Errorf("%s: the server ended the connection: %w", c.where(), cause(why))
	}
	return fmt.Errorf("%s: %w", c.where(), err)
}

func (c *Client) where() string {
	switch t := &c.target; {
	case t.Network == "unix":
		return t.Path
	case t.Port != 0:
		return fmt.Sprintf("%s, %s port %d", t.Host, t.Network, t.Port)
	default:
		return t.Host
	}
}
