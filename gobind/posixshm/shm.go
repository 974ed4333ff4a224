// Package posixshm gives POSIX shared memory: shm_overview(7), UNPv2 chapter 13.
//
// An object has a name that begins with a slash, a size, and stays until it is
// unlinked, with what is in it, but no longer than the kernel runs. A mapping stays
// when the object is closed or unlinked. [Memfd] makes one without a name, whose size
// and bytes can be sealed.
//
// Only names and allocation go through C; the rest is system calls. What can be done
// with a mapping (protect, advise, views of a type, a fault that becomes an error) is in
// package mmap.
//
// # Errors
//
// Every error of an object is a *fs.PathError with its name: ENOENT, EEXIST, EACCES,
// EINVAL, and ENOSPC for more than the file system of /dev/shm has room for.
//
// # Caveats
//
//   - Touching mapped memory beyond the object's size is SIGBUS, which ends a Go
//     program. [Object.Allocate] takes the memory, so that a full /dev/shm is an error
//     there; [Object.Truncate] only promises it. Where another process may make the
//     object shorter, only a seal helps, or mmap.Catch.
//   - The kernel orders nothing between those who read and write the memory: that is
//     for semaphores or atomics.
package posixshm

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#include <stdlib.h>
#include "unp_posixshm.h"
*/
import "C"

import (
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/posixshm"
	"unpipc/gobind/internal/errs"
)

// Object is an open shared memory object.
type Object struct {
	fd   int
	name string
}

// Open opens an object. flags are unix.O_RDONLY or O_RDWR and any of O_CREAT, O_EXCL
// and O_TRUNC. With O_CREAT|O_EXCL the new object, of size 0, has exactly this mode,
// whatever the umask; with O_CREAT alone the umask counts. See shm_open(3).
// Errors: ENOENT, EEXIST, EACCES, EINVAL (the name), ENAMETOOLONG, EMFILE.
func Open(name string, flags int, mode uint32) (*Object, error) {
	if strings.IndexByte(name, 0) >= 0 {
		return nil, errs.Path("shm_open", name, unix.EINVAL)
	}
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	var fd C.int
	if errno := C.unp_shm_open(c, C.int(flags), C.mode_t(mode), &fd); errno != 0 {
		return nil, errs.Path("shm_open", name, syscall.Errno(errno))
	}
	if flags&(unix.O_CREAT|unix.O_EXCL) == unix.O_CREAT|unix.O_EXCL {
		if err := unix.Fchmod(int(fd), mode); err != nil {
			unix.Close(int(fd))
			C.unp_shm_unlink(c) // all or nothing
			return nil, errs.Path("fchmod", name, errs.Errno(err))
		}
	}
	return &Object{int(fd), name}, nil
}

// Unlink removes the name; the memory is gone with its last mapping and descriptor. See
// shm_unlink(3). Errors: ENOENT, EACCES, EINVAL.
func Unlink(name string) error {
	if strings.IndexByte(name, 0) >= 0 {
		return errs.Path("shm_unlink", name, unix.EINVAL)
	}
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	return errs.Path("shm_unlink", name, syscall.Errno(C.unp_shm_unlink(c)))
}

// Allocate makes the object at least so many bytes long, zero where they are new, and
// takes the memory for them. See posix_fallocate(3).
// Errors: ENOSPC, EINVAL (not positive), EBADF (opened for reading only).
func (o *Object) Allocate(bytes int) error {
	for {
		errno := syscall.Errno(C.unp_shm_allocate(C.int(o.fd), C.int64_t(bytes)))
		if errno != unix.EINTR {
			return errs.Path("posix_fallocate", o.name, errno)
		}
	}
}

// Truncate makes the object so many bytes long and takes no memory: what is behind a
// shorter end is gone, also under mappings, and a longer one has holes. See ftruncate(2).
// Errors: EINVAL (negative, or opened for reading only), EPERM (sealed), EFBIG.
func (o *Object) Truncate(bytes int) error {
	return errs.Path("ftruncate", o.name, errs.Errno(unix.Ftruncate(o.fd, int64(bytes))))
}

// Size is the object's size in bytes.
func (o *Object) Size() (int, error) {
	var st unix.Stat_t
	err := unix.Fstat(o.fd, &st)
	return int(st.Size), errs.Path("fstat", o.name, errs.Errno(err))
}

// Map maps the first bytes of the object, shared, for reading or, if it was opened so,
// for writing too. [Unmap] ends the mapping; the memory must not be touched then. See
// mmap(2). Errors: EINVAL (not positive), EACCES, ENOMEM.
func (o *Object) Map(bytes int, write bool) ([]byte, error) {
	protection := unix.PROT_READ
	if write {
		protection |= unix.PROT_WRITE
	}
	return o.MapRange(0, bytes, protection, unix.MAP_SHARED)
}

// MapRange maps bytes of the object from an offset on, which is a multiple of the page
// size. protection is unix.PROT_READ, PROT_WRITE, PROT_NONE; flags are unix.MAP_SHARED or
// MAP_PRIVATE (what is written stays here) and others of mmap(2): MAP_POPULATE touches
// all pages at once. Errors: EINVAL, EACCES, EPERM (sealed), ENOMEM.
func (o *Object) MapRange(offset int64, bytes, protection, flags int) ([]byte, error) {
	memory, err := unix.Mmap(o.fd, offset, bytes, protection, flags)
	return memory, errs.Path("mmap", o.name, errs.Errno(err))
}

// Unmap ends a mapping, given as [Object.Map] returned it. Error: EINVAL.
func Unmap(memory []byte) error { return errs.Call("munmap", errs.Errno(unix.Munmap(memory))) }

// Close closes the descriptor; mappings stay. Error: EBADF the second time.
func (o *Object) Close() error {
	fd := o.fd
	o.fd = -1
	return errs.Path("close", o.name, errs.Errno(unix.Close(fd)))
}

// Name is the name the object was opened by.
func (o *Object) Name() string { return o.name }

// Fd is the descriptor, which stays the object's; -1 after Close.
func (o *Object) Fd() int { return o.fd }
