// Package sysvshm holds the C shims behind [unpipc/gobind/sysvshm].
package sysvshm

/*
#cgo CFLAGS: -std=c11 -D_GNU_SOURCE -I${SRCDIR}/../../capi
*/
import "C"

// So that a changed header is seen by the build cache.
import _ "unpipc/capi"
