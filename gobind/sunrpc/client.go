package sunrpc

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#cgo pkg-config: libtirpc
#include "unp_sunrpc_client.h"
*/
import "C"

import (
	"context"
	"net"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	_ "unpipc/capi"
	_ "unpipc/csrc/sunrpc"
	"unpipc/gobind/internal/errs"
	"unpipc/gobind/yield"
)

// Handle is a CLIENT * for the stubs of rpcgen.
type Handle unsafe.Pointer

// Caller makes calls: a [*Client] or a [*Pool]. stub is called with a handle and
// calls one stub of rpcgen -M with it, whose enum clnt_stat it returns.
type Caller interface {
	Call(ctx context.Context, stub func(Handle) Status) error
}

// Client is a connection to one version of a program. Calls are made one at a time;
// others wait. It may be used by several goroutines.
type Client struct {
	program Program
	remote  net.Addr
	fd      int
	turn    turn
	handle  *C.CLIENT // nil: closed, or broken
	auth    plug
	why     error // that handle is nil
	ended   atomic.Bool
	watch   interrupter
	pace    yield.Pace
}

// newClient takes fd, connected and blocking, also when it fails.
func newClient(fd int, remote net.Addr, p Program, o Options) (*Client, error) {
	c := &Client{program: p, remote: remote, fd: fd}
	errno := syscall.Errno(C.unp_sunrpc_client_new(C.int(fd), C.rpcprog_t(p.Number), C.rpcvers_t(p.Version),
		C.int64_t(o.timeout()), C.int64_t(o.retry()), &c.handle))
	if errno != 0 {
		_ = syscall.Close(fd)
		return nil, errs.Call("clnt_vc_create", errno)
	}
	return c, nil
}

// Call makes a call. It sleeps until it is its turn and until the answer is here.
//
// A status other than Success comes back as an [*Error]. After one that is not the
// server's answer the connection is closed, and later calls fail with [ErrBroken]; so a
// late answer is never taken for another call's. When ctx ends Call returns its cause, and
// the connection is closed too; the server may have done what was asked, or do it yet.
func (c *Client) Call(ctx context.Context, stub func(Handle) Status) error {
	done := ctx.Done()
	if !c.turn.take(done) {
		return context.Cause(ctx)
	}
	defer c.turn.pass()
	c.pace.Step(lookAfter)
	if c.handle == nil {
		return &Error{Op: "call", Program: c.program, Status: CantSend, Err: c.why}
	}
	if c.datagram() {
		c.forgetLate()
	}
	status, interrupted, err := c.run(ctx, done, stub)
	if err == nil && status == Success && !interrupted {
		return nil
	}
	return c.judge(ctx, status, interrupted, err)
}

// run makes a call that the end of ctx interrupts; the connection is of no use then. done is
// that of ctx. With an error, its cause, the call was not made.
func (c *Client) run(ctx context.Context, done <-chan struct{}, call func(Handle) Status) (status Status, interrupted bool, err error) {
	if done == nil {
		return call(Handle(c.handle)), false, nil
	}
	if ended(done) {
		return 0, false, context.Cause(ctx)
	}
	c.watch.begin(ctx, done, c.fd)
	if ended(done) {
		return 0, c.watch.end(), context.Cause(ctx)
	}
	status = call(Handle(c.handle))
	return status, c.watch.end(), nil
}

func ended(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// judge makes what Call returns of what run does, and closes a connection that is of no
// more use.
func (c *Client) judge(ctx context.Context, status Status, interrupted bool, err error) error {
	answered := err == nil && status.answered()
	if err == nil && status != Success {
		interrupted = interrupted || ctx.Err() != nil
		err = c.failure(status)
		if interrupted && !answered {
			err = context.Cause(ctx)
		}
		interrupted = interrupted || !answered && !(status == TimedOut && c.datagram())
	}
	if interrupted {
		c.destroy(ErrBroken)
	}
	return err
}

func (c *Client) failure(status Status) error {
	var f C.struct_unp_sunrpc_failure
	C.unp_sunrpc_failure_of(c.handle, C.enum_clnt_stat(status), &f)
	e := &Error{
		Op: "call", Program: c.program, Status: status,
		Why: AuthStat(f.why), Low: uint32(f.low), High: uint32(f.high),
	}
	if f.error != 0 {
		e.Err = syscall.Errno(f.error)
	}
	if err := c.auth.takeError(); err != nil {
		e.Err = err
	}
	return e
}

func (c *Client) datagram() bool {
	_, ok := c.remote.(*net.UDPAddr)
	return ok
}

// destroy ends the connection; the caller has the turn.
func (c *Client) destroy(why error) {
	if why == ErrBroken {
		// GSS would take leave of the server, and wait for its answer.
		C.unp_sunrpc_client_interrupt(C.int(c.fd))
	}
	c.watch.forget()
	C.unp_sunrpc_client_free(c.handle)
	c.auth.release()
	c.handle, c.why = nil, why
	c.ended.Store(true)
}

// Null calls procedure 0, which every program has and which does nothing.
func (c *Client) Null(ctx context.Context) error {
	return c.Call(ctx, func(h Handle) Status { return Status(C.unp_sunrpc_null((*C.CLIENT)(h))) })
}

// RemoteAddr is the server's address.
func (c *Client) RemoteAddr() net.Addr { return c.remote }

// Close waits for the call in progress and closes the connection. Calls that come later
// fail with net.ErrClosed. Closing again does nothing.
func (c *Client) Close() error {
	c.turn.take(nil)
	defer c.turn.pass()
	if c.handle != nil {
		c.destroy(net.ErrClosed)
	}
	c.why = net.ErrClosed
	return nil
}

// stale says that the server has closed the connection, or will not be understood.
func (c *Client) stale() bool {
	return c.ended.Load() || !c.datagram() && C.unp_sunrpc_client_stale(C.int(c.fd)) != 0
}

// lookAfter calls a connection looks whether Go's scheduler is to have its turn.
const lookAfter = 32

// A call waits no longer than this for the answer to go on, unless Options say otherwise.
const defaultTimeout = 25 * time.Second

// After this time a call that was sent in a datagram is sent again.
const defaultRetry = time.Second

func (o Options) timeout() time.Duration {
	if o.Timeout > 0 {
		return max(o.Timeout, time.Microsecond)
	}
	return defaultTimeout
}

func (o Options) retry() time.Duration {
	if o.Retry > 0 {
		return max(o.Retry, time.Microsecond)
	}
	return defaultRetry
}
