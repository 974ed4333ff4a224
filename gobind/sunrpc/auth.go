package sunrpc

/*
#include <stdlib.h>
#include "unp_sunrpc_client.h"
*/
import "C"

import (
	"context"
	"os"
	"syscall"
	"unsafe"

	"unpipc/gobind/internal/errs"
)

// Auth is a client's credential: [AuthNone], [AuthSys], [Plugged] or [GSS].
type Auth interface {
	attach(ctx context.Context, c *Client) error
}

// AuthNone is no credential.
type AuthNone struct{}

func (AuthNone) attach(context.Context, *Client) error { return nil }

// AuthSys is what a client says of itself: RFC 5531, appendix A. Nothing keeps it from
// lying; where the server can be reached by a Unix domain socket, [Request.Peer] is the truth.
type AuthSys struct {
	Machine  string   // at most 255 bytes
	UID, GID uint32   // effective
	GIDs     []uint32 // at most 16
}

// CurrentUser is this process's credential, with the first 16 of its groups.
func CurrentUser() AuthSys {
	machine, _ := os.Hostname()
	groups, _ := os.Getgroups()
	a := AuthSys{Machine: machine, UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
	for _, g := range groups[:min(len(groups), 16)] {
		a.GIDs = append(a.GIDs, uint32(g))
	}
	return a
}

func (a AuthSys) attach(_ context.Context, c *Client) error {
	machine := C.CString(a.Machine)
	defer C.free(unsafe.Pointer(machine))
	gids := (*C.gid_t)(unsafe.Pointer(unsafe.SliceData(a.GIDs)))
	return errs.Call("authunix_create", syscall.Errno(C.unp_sunrpc_auth_sys(c.handle, machine,
		C.uid_t(a.UID), C.gid_t(a.GID), gids, C.size_t(len(a.GIDs)))))
}
