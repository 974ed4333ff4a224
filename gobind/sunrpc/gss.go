package sunrpc

/*
#include <stdlib.h>
#include "unp_sunrpc_client.h"
#include "unp_sunrpc_server.h"
*/
import "C"

import (
	"context"
	"fmt"
	"syscall"
	"unsafe"

	"unpipc/gobind/internal/errs"
)

// Protection is what RPCSEC_GSS does for arguments and results, besides proving who makes
// the call.
type Protection int

const (
	Authentication Protection = 1 // nothing
	Integrity      Protection = 2 // they cannot be changed on the way
	Privacy        Protection = 3 // nor read
)

func (p Protection) String() string {
	switch p {
	case Authentication:
		return "none"
	case Integrity:
		return "integrity"
	case Privacy:
		return "privacy"
	}
	return fmt.Sprintf("protection %d", int(p))
}

// Kerberos is the mechanism of GSS-API that libtirpc knows.
const Kerberos = "kerberos_v5"

// GSS is a credential of RPCSEC_GSS: RFC 2203. [Dial] makes the context by calls to the
// server, with the credentials of this process, such as kinit(1) has left them. Not over
// "udp". Errors: [*Error] with AuthError and AuthFailed, or EACCES and what GSS-API says;
// ENOTSUP, where libtirpc was built without it.
type GSS struct {
	Principal  string     // the server: "calc@host.example"
	Mechanism  string     // "": Kerberos
	Protection Protection // 0: Authentication
}

func (g GSS) attach(ctx context.Context, c *Client) error {
	if g.Mechanism == "" {
		g.Mechanism = Kerberos
	}
	if g.Protection == 0 {
		g.Protection = Authentication
	}
	principal, mechanism := C.CString(g.Principal), C.CString(g.Mechanism)
	defer C.free(unsafe.Pointer(principal))
	defer C.free(unsafe.Pointer(mechanism))
	var text [512]C.char
	var errno syscall.Errno
	_, interrupted, _ := c.run(ctx, ctx.Done(), func(Handle) Status {
		errno = syscall.Errno(C.unp_sunrpc_auth_gss(c.handle, principal, mechanism, C.int(g.Protection), &text[0], C.size_t(len(text))))
		return Success
	})
	switch why := C.GoString(&text[0]); {
	case interrupted || ctx.Err() != nil:
		return context.Cause(ctx)
	case errno == 0:
		return nil
	case why == "":
		return &Error{Op: "dial", Program: c.program, Status: AuthError, Why: AuthFailed, Err: errno}
	default:
		return &Error{Op: "dial", Program: c.program, Status: AuthError, Why: AuthFailed, Err: fmt.Errorf("%s: %w", why, errno)}
	}
}

// GSSPeer is who makes a call by RPCSEC_GSS. It is proved.
type GSSPeer struct {
	Principal  string // "user@REALM"
	Mechanism  string
	Protection Protection // of this call; a procedure may refuse less than it wants
}

// GSS is the caller's credential of RPCSEC_GSS, if the call has one.
func (r *Request) GSS() (GSSPeer, bool) {
	if r.Flavor() != C.RPCSEC_GSS {
		return GSSPeer{}, false
	}
	var principal, mechanism [1024]C.char
	var protection C.int
	if C.unp_sunrpc_gss_peer(r.req, &principal[0], &mechanism[0], C.size_t(len(principal)), &protection) != 0 {
		return GSSPeer{}, false
	}
	return GSSPeer{C.GoString(&principal[0]), C.GoString(&mechanism[0]), Protection(protection)}, true
}

// ServeGSS lets a server take calls by RPCSEC_GSS, over streams, before Serve. principal
// is its name: "calc@host.example", whose key must be in the keytab; there is one name for
// the whole process. A key that is missing may show only when callers come: they get
// [AuthFailed]. Errors: *os.SyscallError (EACCES: no such name; ENOTSUP).
func (s *Server) ServeGSS(principal, mechanism string) error {
	p, m := C.CString(principal), C.CString(mechanism)
	defer C.free(unsafe.Pointer(p))
	defer C.free(unsafe.Pointer(m))
	errno := syscall.Errno(C.unp_sunrpc_gss_name(p, m))
	s.gss = errno == 0
	return errs.Call("rpc_gss_set_svc_name", errno)
}
