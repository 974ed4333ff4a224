package sunrpc

/*
#include "unp_sunrpc_client.h"

extern int unpSunrpcMarshal(uintptr_t cookie, struct opaque_auth *cred, struct opaque_auth *verf);
extern int unpSunrpcValidate(uintptr_t cookie, struct opaque_auth *verf);
extern int unpSunrpcRefresh(uintptr_t cookie, int why);
*/
import "C"

import (
	"context"
	"fmt"
	"runtime/cgo"
	"syscall"
	"unsafe"

	"unpipc/gobind/internal/errs"
)

// MaxAuthBytes is what the body of a credential or a verifier may hold.
const MaxAuthBytes = 400

// Opaque is a credential or a verifier as it is on the wire: opaque_auth of RFC 5531.
type Opaque struct {
	Flavor uint32
	Body   []byte // at most 400 bytes
}

// Authenticator makes the credentials of one client of a flavor that libtirpc does not
// have. Its methods are called during a call, one at a time.
type Authenticator interface {
	// Marshal makes the credential and the verifier of the next call. With an error no
	// call is made, and the error is inside of what Call returns.
	Marshal() (cred, verf Opaque, err error)
	// Validate judges the verifier of an answer. With an error the call fails with
	// AuthInvalidResponse.
	Validate(verf Opaque) error
	// Refresh is asked after a refusal whether the call is to be made again, twice at most.
	Refresh(why AuthStat) bool
}

// Plugged is a credential of any flavor.
type Plugged struct{ Authenticator }

func (p Plugged) attach(_ context.Context, c *Client) error {
	c.auth.authenticator = p.Authenticator
	c.auth.cookie = cgo.NewHandle(&c.auth)
	flavor := C.struct_unp_sunrpc_flavor{
		marshal:  (*[0]byte)(C.unpSunrpcMarshal),
		validate: (*[0]byte)(C.unpSunrpcValidate),
		refresh:  (*[0]byte)(C.unpSunrpcRefresh),
	}
	errno := syscall.Errno(C.unp_sunrpc_auth_plugged(c.handle, &flavor, C.uintptr_t(c.auth.cookie)))
	return errs.Call("auth_create", errno)
}

// plug is what a client with a plugged flavor has.
type plug struct {
	authenticator Authenticator
	cookie        cgo.Handle // 0: there is none
	err           error      // of the call in progress
}

func (p *plug) release() {
	if p.cookie != 0 {
		p.cookie.Delete()
		p.cookie = 0
	}
}

func (p *plug) takeError() error {
	err := p.err
	p.err = nil
	return err
}

func opaqueOf(o *C.struct_opaque_auth) Opaque {
	return Opaque{uint32(o.oa_flavor), C.GoBytes(unsafe.Pointer(o.oa_base), C.int(o.oa_length))}
}

// put fills in o, whose base is room for MaxAuthBytes.
func put(o *C.struct_opaque_auth, from Opaque) error {
	if len(from.Body) > MaxAuthBytes {
		return fmt.Errorf("a body of %d bytes: more than %d", len(from.Body), MaxAuthBytes)
	}
	// cgo takes the type's name, enum_t, for that of an enum.
	*(*uint32)(unsafe.Pointer(&o.oa_flavor)) = from.Flavor
	o.oa_length = C.u_int(copy(unsafe.Slice((*byte)(unsafe.Pointer(o.oa_base)), MaxAuthBytes), from.Body))
	return nil
}
