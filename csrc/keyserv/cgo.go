// Package keyserv holds what rpcgen makes of keyserv.x, and its procedures, behind
// [unpipc/gobind/keyserv].
package keyserv

/*
#cgo CFLAGS: -std=c11 -D_GNU_SOURCE -I${SRCDIR}/../../capi
#cgo pkg-config: libtirpc
*/
import "C"

// So that a changed header is seen by the build cache.
import _ "unpipc/capi"
