package sunrpc

/*
#include "unp_sunrpc_client.h"
#include "unp_sunrpc_server.h"
*/
import "C"

import (
	"errors"
	"runtime/cgo"
	"unsafe"
)

// begin is the request of a call, in the memory of its connection.
func begin(cookie unsafe.Pointer, req *C.struct_svc_req) *Request {
	c := (*conn)(cookie)
	r := &c.request
	r.conn, r.req = c, req
	if _, plugged := c.server.verifiers[r.Flavor()]; !plugged {
		r.Identity = nil
	}
	return r
}

//export unpSunrpcCall
func unpSunrpcCall(cookie unsafe.Pointer, req *C.struct_svc_req, args, result unsafe.Pointer) C.int {
	r := begin(cookie, req)
	r.conn.pace.Step(lookAfter)
	return outcome(r.conn.server.services[r.Program()].Call(r, args, result))
}

//export unpSunrpcCheck
func unpSunrpcCheck(cookie unsafe.Pointer, req *C.struct_svc_req) C.int {
	r := begin(cookie, req)
	return outcome(r.conn.server.options.Check(r))
}

//export unpSunrpcVerify
func unpSunrpcVerify(cookie unsafe.Pointer, req *C.struct_svc_req, cred, verf, reply *C.struct_opaque_auth) C.int {
	r := begin(cookie, req)
	r.Identity = nil
	answer, why := r.conn.server.verifiers[r.Flavor()](r, opaqueOf(cred), opaqueOf(verf))
	if why == AuthOK && put(reply, answer) != nil {
		why = AuthFailed
	}
	return C.int(why)
}

// ErrNoReply is for a procedure to return that leaves the caller without an answer.
var ErrNoReply = errors.New("no reply")

// outcome is enum unp_sunrpc_outcome.
func outcome(err error) C.int {
	if err == nil {
		return C.UNP_SUNRPC_DONE
	}
	var why AuthStat
	var status Status
	switch {
	case errors.As(err, &why) && why != AuthOK:
		return -C.int(why)
	case errors.Is(err, ErrNoReply):
		return C.UNP_SUNRPC_SILENCE
	case errors.As(err, &status):
		switch status {
		case ProgramUnavailable:
			return C.UNP_SUNRPC_NO_PROGRAM
		case ProcedureUnavailable:
			return C.UNP_SUNRPC_NO_PROCEDURE
		case CantDecodeArgs:
			return C.UNP_SUNRPC_GARBAGE_ARGS
		}
	}
	return C.UNP_SUNRPC_SYSTEM_ERR
}

//export unpSunrpcMarshal
func unpSunrpcMarshal(cookie C.uintptr_t, cred, verf *C.struct_opaque_auth) C.int {
	p := cgo.Handle(cookie).Value().(*plug)
	credential, verifier, err := p.authenticator.Marshal()
	if err == nil {
		err = errors.Join(put(cred, credential), put(verf, verifier))
	}
	return p.judge(err)
}

//export unpSunrpcValidate
func unpSunrpcValidate(cookie C.uintptr_t, verf *C.struct_opaque_auth) C.int {
	p := cgo.Handle(cookie).Value().(*plug)
	return p.judge(p.authenticator.Validate(opaqueOf(verf)))
}

func (p *plug) judge(err error) C.int {
	p.err = err
	if err != nil {
		return 0
	}
	return 1
}

//export unpSunrpcRefresh
func unpSunrpcRefresh(cookie C.uintptr_t, why C.int) C.int {
	p := cgo.Handle(cookie).Value().(*plug)
	if p.authenticator.Refresh(AuthStat(why)) {
		return 1
	}
	return 0
}
