package sunrpc

/*
#include "unp_sunrpc_server.h"

#include <netinet/in.h>
#include <rpc/auth_unix.h>
*/
import "C"

import (
	"context"
	"net"
	"unsafe"

	"unpipc/gobind/unixsock"
)

// Request is a call in progress. It must not be used after the procedure has returned.
type Request struct {
	Identity any // what the [Verifier] of a plugged flavor says who it is; else nil

	conn *conn
	req  *C.struct_svc_req
}

// Context ends when the server has to stop and the call has used its time of grace up.
func (r *Request) Context() context.Context { return r.conn.server.calls }

// Closed is closed once the connection of the call has ended, for what a client keeps at
// the server from call to call. While a call of it is in progress nothing is known of its
// end. Over "udp" the server's end is meant. The channel may be used after the procedure
// has returned.
func (r *Request) Closed() <-chan struct{} {
	// All calls of a connection, and its end, are on one goroutine.
	if r.conn.closed == nil {
		r.conn.closed = make(chan struct{})
	}
	return r.conn.closed
}

// Program is the program that was called.
func (r *Request) Program() Program {
	return Program{uint32(r.req.rq_prog), uint32(r.req.rq_vers)}
}

// Proc is the procedure's number.
func (r *Request) Proc() uint32 { return uint32(r.req.rq_proc) }

// Flavor is that of the credential: 0 is AUTH_NONE, 1 AUTH_SYS, 3 AUTH_DES, 6 RPCSEC_GSS.
func (r *Request) Flavor() uint32 { return uint32(r.req.rq_cred.oa_flavor) }

// Sys is an AUTH_SYS credential, if the call has one: a claim that nobody has proved.
func (r *Request) Sys() (AuthSys, bool) {
	if r.Flavor() != C.AUTH_SYS {
		return AuthSys{}, false
	}
	p := (*C.struct_authunix_parms)(r.req.rq_clntcred)
	a := AuthSys{Machine: C.GoString(p.aup_machname), UID: uint32(p.aup_uid), GID: uint32(p.aup_gid)}
	for _, g := range unsafe.Slice(p.aup_gids, p.aup_len) {
		a.GIDs = append(a.GIDs, uint32(g))
	}
	return a, true
}

// Peer is who made the connection, as the kernel says, if it is one over a Unix domain
// socket: SO_PEERCRED of unix(7).
func (r *Request) Peer() (unixsock.Credentials, bool) {
	c := r.conn
	if _, ok := c.local.addr.(*net.UnixAddr); !ok {
		return unixsock.Credentials{}, false
	}
	if c.peer == nil {
		peer, err := unixsock.New(c.fd).Peer()
		if err != nil {
			return unixsock.Credentials{}, false
		}
		c.peer = &peer
	}
	return *c.peer, true
}

// Remote is where the call came from.
func (r *Request) Remote() net.Addr {
	if r.conn.stream {
		return r.conn.remote
	}
	var from C.struct_sockaddr_storage
	C.unp_sunrpc_peer(r.req, &from)
	switch from.ss_family {
	case C.AF_INET:
		a := (*C.struct_sockaddr_in)(unsafe.Pointer(&from))
		return &net.UDPAddr{IP: C.GoBytes(unsafe.Pointer(&a.sin_addr), 4), Port: hostOrder(a.sin_port)}
	case C.AF_INET6:
		a := (*C.struct_sockaddr_in6)(unsafe.Pointer(&from))
		return &net.UDPAddr{IP: C.GoBytes(unsafe.Pointer(&a.sin6_addr), 16), Port: hostOrder(a.sin6_port)}
	}
	return nil
}

func hostOrder(port C.in_port_t) int {
	bytes := (*[2]byte)(unsafe.Pointer(&port))
	return int(bytes[0])<<8 | int(bytes[1])
}
