package sunrpc

/*
#include "unp_sunrpc_server.h"
*/
import "C"

import (
	"net"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/unixsock"
	"unpipc/gobind/yield"
)

// conn is a connection of a server, or one thread's share in a datagram socket.
type conn struct {
	cookie byte // first: its address, which C has, is that of the conn
	server *Server
	stream bool
	fd     int // a stream's own; a datagram's is the listener's
	remote net.Addr
	local  *listener
	shim   *C.struct_unp_sunrpc_conn
	pinned runtime.Pinner

	pace    yield.Pace
	request Request               // of the call in progress
	peer    *unixsock.Credentials // asked for once
	closed  chan struct{}         // nil: nobody has asked for it
}

// newConn takes fd if it is a stream's, also when it fails.
func newConn(s *Server, l *listener, fd int, remote net.Addr) (*conn, syscall.Errno) {
	c := &conn{server: s, stream: l.stream, fd: fd, remote: remote, local: l}
	c.pinned.Pin(c)
	errno := syscall.Errno(C.unp_sunrpc_open(s.shim, C.int(fd), unsafe.Pointer(&c.cookie), &c.shim))
	if errno != 0 {
		c.close()
		return nil, errno
	}
	return c, 0
}

func (c *conn) serve() syscall.Errno {
	if c.stream {
		return syscall.Errno(C.unp_sunrpc_serve_stream(c.shim))
	}
	return syscall.Errno(C.unp_sunrpc_serve_datagrams(c.shim))
}

// stop is called with the server's mutex held, as close is: so fd is still this one.
func (c *conn) stop(how int) {
	C.unp_sunrpc_stop(c.shim)
	// A datagram socket says ENOTCONN, and wakes its sleepers all the same. Its replies
	// can still be sent.
	if !c.stream {
		how = unix.SHUT_RD
	}
	_ = unix.Shutdown(c.fd, how)
}

func (c *conn) close() {
	if c.shim != nil {
		C.unp_sunrpc_close(c.shim)
	}
	c.pinned.Unpin()
	if c.closed != nil {
		close(c.closed)
	}
	if c.stream {
		_ = unix.Close(c.fd)
	}
}
