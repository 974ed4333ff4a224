package keyserv

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#cgo pkg-config: libtirpc
#include "unp_keyserv.h"
*/
import "C"

import (
	"fmt"

	_ "unpipc/capi"
	_ "unpipc/csrc/keyserv"
	"unpipc/gobind/sunrpc"
)

// The program, in its two versions. What has to do with public keys came with the second.
var (
	V1 = sunrpc.Program{Number: C.KEYSERV_PROG, Version: C.KEYSERV_VERS}
	V2 = sunrpc.Program{Number: C.KEYSERV_PROG, Version: C.KEYSERV_VERS2}
)

// Path is the Unix domain socket at which glibc looks for a key server.
const Path = "/var/run/keyservsock"

// Bounds of what a call and its answer hold.
const (
	MaxName   = C.KEYSERV_MAX_NAME   // bytes of a netname
	MaxKey    = C.KEYSERV_MAX_KEY    // bytes of a public key
	MaxGroups = C.KEYSERV_MAX_GROUPS // of a [Credential]
)

// Digits are a key of 192 bits in hex, without a byte behind.
type Digits [C.KEYSERV_DIGITS]byte

// Block is a DES key, sealed or not.
type Block [8]byte

// Credential is the user of this host that a netname stands for.
type Credential struct {
	UID, GID uint32
	GIDs     []uint32 // at most [MaxGroups]
}

// Status is why a call has no result: enum keystatus of key_prot.x. It is an error.
type Status int32

const (
	NoSecret    Status = C.KEYSERV_NO_SECRET // the caller has no secret key at the server
	Unknown     Status = C.KEYSERV_UNKNOWN   // nobody has this netname
	SystemError Status = C.KEYSERV_SYSTEM_ERROR
)

var statusText = map[Status]string{
	NoSecret: "the key server has no secret key of this user", Unknown: "the key server does not know this netname",
	SystemError: "the key server failed",
}

func (s Status) Error() string {
	if text := statusText[s]; text != "" {
		return text
	}
	return fmt.Sprintf("key server status %d", int32(s))
}
