package posixsem

/*
#include <stdlib.h>
#include "unp_posixsem.h"
*/
import "C"

import (
	"math"
	"os"
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
)

// Named semaphores are files of this directory and prefix: sem_overview(7).
const (
	directory = "/dev/shm"
	prefix    = "sem."
)

// Open opens a semaphore by its name, which begins with a slash, or makes it: flags are
// 0 or O_CREAT, and O_EXCL. A new one has the value and exactly this mode, whatever the
// umask; whoever uses it needs permission to read and to write. See sem_open(3).
// Errors, a *fs.PathError: ENOENT, EEXIST, EACCES, EINVAL (the name; a value over
// SEM_VALUE_MAX), ENAMETOOLONG, EMFILE, ENOSPC.
func Open(name string, flags int, mode uint32, value uint) (*Sem, error) {
	if strings.IndexByte(name, 0) >= 0 || value > math.MaxUint32 {
		return nil, errs.Path("sem_open", name, unix.EINVAL)
	}
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	for {
		// Only whoever makes the semaphore may set its mode, so find out who does.
		create := flags & (unix.O_CREAT | unix.O_EXCL)
		if create == unix.O_EXCL || create == unix.O_CREAT {
			create = 0
		}
		s, errno := open(c, name, create, mode, value)
		if errno == unix.ENOENT && flags&unix.O_CREAT != 0 && create == 0 {
			create = unix.O_CREAT | unix.O_EXCL
			s, errno = open(c, name, create, mode, value)
			if errno == unix.EEXIST {
				continue // somebody else has made it just now
			}
		}
		if errno != 0 {
			return nil, errs.Path("sem_open", name, errno)
		}
		if create != 0 {
			if err := s.setMode(mode & 0o777); err != nil {
				s.Close()
				C.unp_sem_unlink(c) // all or nothing
				return nil, err
			}
		}
		return s, nil
	}
}

func open(c *C.char, name string, flags int, mode uint32, value uint) (*Sem, syscall.Errno) {
	var addr unsafe.Pointer
	errno := syscall.Errno(C.unp_sem_open(c, C.int(flags), C.mode_t(mode&0o777), C.uint(value), &addr))
	return &Sem{addr: addr, direct: direct(), name: name}, errno
}

func (s *Sem) setMode(mode uint32) error {
	path := C.CString(directory + "/" + prefix + strings.TrimLeft(s.name, "/"))
	defer C.free(unsafe.Pointer(path))
	return errs.Path("chmod", s.name, syscall.Errno(C.unp_sem_chmod(s.addr, path, C.mode_t(mode))))
}

// Unlink removes the name; the semaphore is gone when the last process has closed it.
// See sem_unlink(3). Errors, a *fs.PathError: ENOENT, EACCES (only the owner may).
func Unlink(name string) error {
	if strings.IndexByte(name, 0) >= 0 {
		return errs.Path("sem_unlink", name, unix.EINVAL)
	}
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	return errs.Path("sem_unlink", name, syscall.Errno(C.unp_sem_unlink(c)))
}

// Close ends the use of a semaphore of [Open], which stays. See sem_close(3).
// Error: EINVAL the second time, or without a name.
func (s *Sem) Close() error {
	if s.name == "" || s.addr == nil {
		return s.fail("sem_close", unix.EINVAL)
	}
	addr := s.addr
	s.addr = nil
	return s.fail("sem_close", syscall.Errno(C.unp_sem_close(addr)))
}

// Name is the name the semaphore was opened by, "" if it has none.
func (s *Sem) Name() string { return s.name }

// List names the semaphores that have names, each with its slash, in order. One that
// glibc is just making is there under another name for an instant.
// Error: *fs.PathError (/dev/shm cannot be read).
func List() ([]string, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name, is := strings.CutPrefix(e.Name(), prefix)
		// One that is gone by now is none.
		if info, err := e.Info(); is && err == nil && info.Mode().IsRegular() && info.Size() == int64(Size) {
			names = append(names, "/"+name)
		}
	}
	slices.Sort(names)
	return names, nil
}
