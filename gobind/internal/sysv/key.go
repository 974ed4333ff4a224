// Package sysv is what the three kinds of System V IPC share: keys, identifiers, the
// kernel's tables, and times as it tells them.
package sysv

/*
#cgo CFLAGS: -I${SRCDIR}/../../../capi
#include <stdlib.h>
#include "unp_sysv.h"
*/
import "C"

import (
	"fmt"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/sysv"
	"unpipc/gobind/internal/errs"
)

// Key names an object of one kind in its IPC namespace.
type Key int32

// Private is the key of objects that nobody can find: IPC_PRIVATE.
const Private Key = 0

// String is the key as ipcs prints it.
func (k Key) String() string { return fmt.Sprintf("0x%08x", uint32(k)) }

// Ftok makes a key of an existing file and the low 8 bits of id: ftok(3).
// Error: *fs.PathError (ENOENT, EACCES).
func Ftok(path string, id int) (Key, error) {
	if strings.IndexByte(path, 0) >= 0 {
		return 0, errs.Path("ftok", path, unix.EINVAL)
	}
	c := C.CString(path)
	defer C.free(unsafe.Pointer(c))
	var key C.int32_t
	errno := syscall.Errno(C.unp_ftok(c, C.int(id), &key))
	return Key(key), errs.Path("ftok", path, errno)
}

// Time is a time in seconds as the kernel keeps it: 0 is never, the zero time.
func Time(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}
