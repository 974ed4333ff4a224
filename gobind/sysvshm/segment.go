// Package sysvshm gives System V shared memory: sysvipc(7), UNPv2 chapter 14.
//
// A segment has a key, which programs agree on or make by [Ftok], an identifier, which
// the kernel gives, and a size that never changes. Attaching maps all of it. It stays
// until it is removed; removed while it is attached, it is gone with its last mapping.
// What can be done with attached memory (protect, advise, views of a type) is in package
// mmap.
//
// # Errors
//
// Every error of a segment is a *fs.PathError whose path names it by key and identifier:
// EINVAL or EIDRM when it was removed, EACCES, and what each call says.
//
// # Caveats
//
//   - A segment stays until it is removed or the system goes down, whoever ends; ipcs(1)
//     shows those that were forgotten and ipcrm(1) removes them. A program that removes
//     its segment as soon as all have attached it can leave none behind.
//   - Attaching a removed segment that others still have attached works on Linux, by its
//     identifier; POSIX does not promise it, and its key finds it no more.
//   - Size is given when it is made, so opening with a smaller one succeeds and with a
//     larger one is EINVAL. [Segment.Attach] maps what there is.
//   - Memory is taken page by page as it is touched. Where there is none left, that is
//     SIGBUS or the end of some process by the kernel; mmap.Advise with
//     MADV_POPULATE_WRITE takes it at once and returns an error.
//   - The kernel orders nothing between those who share memory: that is for semaphores
//     or atomics.
//   - Two files can have the same key ([Ftok]): inode numbers are cut to 16 bits and
//     devices to 8. The file must stay: one made anew has another inode and key.
package sysvshm

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#include "unp_sysvshm.h"
*/
import "C"

import (
	"fmt"
	"math"
	"syscall"

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/sysvshm"
	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/sysv"
)

// Key names a segment in its IPC namespace.
type Key = sysv.Key

// Private is the key of segments that nobody can find: IPC_PRIVATE.
const Private = sysv.Private

// Flags of [Get] beside a mode: shmget(2).
const (
	Create    = unix.IPC_CREAT
	Excl      = unix.IPC_EXCL
	HugeTLB   = 0o4000   // SHM_HUGETLB: of huge pages, which the administrator set aside
	NoReserve = 0o10000  // SHM_NORESERVE: no swap space is kept for it
	Huge2MB   = 21 << 26 // SHM_HUGE_2MB, with HugeTLB
	Huge1GB   = 30 << 26 // SHM_HUGE_1GB, with HugeTLB
)

// Flags of [Segment.Attach] and [Segment.AttachAt]: shmop(2).
const (
	ReadOnly = unix.SHM_RDONLY
	Round    = unix.SHM_RND // the address is rounded down to a multiple of [LBA]
	Remap    = 0o40000      // SHM_REMAP: in place of what is mapped there
	Exec     = 0o100000     // SHM_EXEC
)

// Commands of shmctl(2) that package unix does not name.
const (
	lock   = 11 // SHM_LOCK
	unlock = 12 // SHM_UNLOCK
)

// LBA is what addresses of attached memory are multiples of: SHMLBA, a page on x86.
var LBA = syscall.Getpagesize()

// Ftok makes a key of an existing file and the low 8 bits of id, as every program does
// that calls ftok(3) on the same file: inode, device and id go into it. Two files can
// have the same key.
// Error: *fs.PathError (ENOENT, EACCES).
func Ftok(path string, id int) (Key, error) { return sysv.Ftok(path, id) }

// Segment is a segment of shared memory. It holds nothing that would have to be closed.
type Segment struct {
	id   int
	name string
}

// Get finds the segment with the key, of at least so many bytes, or, with Create in
// flags, makes it: zeroed, with the mode in the low 9 bits of flags (the umask does not
// count). bytes may be 0 to find one of any size.
// Errors: ENOENT, EEXIST (Create|Excl), EACCES, EINVAL (0 bytes or over shmmax to make,
// more bytes than there are to find), ENOSPC (shmmni or shmall), ENOMEM (HugeTLB: no
// huge pages are left), EPERM (HugeTLB without privilege, before Linux 5.13).
func Get(key Key, bytes, flags int) (*Segment, error) {
	id, _, errno := syscall.Syscall(unix.SYS_SHMGET, uintptr(key), uintptr(bytes), uintptr(flags))
	if errno != 0 {
		return nil, errs.Path("shmget", "System V shared memory "+key.String(), errno)
	}
	return &Segment{int(id), fmt.Sprintf("System V shared memory %s (shmid %d)", key, int(id))}, nil
}

// Open is the segment with an identifier that is known from elsewhere. Nothing is checked.
func Open(id int) *Segment {
	return &Segment{sysv.Clamp(id, math.MaxInt32), fmt.Sprintf("System V shared memory (shmid %d)", id)}
}

// ID is the identifier, as ipcs shows it.
func (s *Segment) ID() int { return s.id }

// Remove removes the segment. Its memory is gone with its last mapping; until then its
// key is Private and [Stat].Removed is true. Errors: EPERM, EINVAL, EIDRM.
func (s *Segment) Remove() error { return s.control(unix.IPC_RMID) }

// Lock keeps the segment's pages, once they are touched, from being swapped out, for as
// long as there is the segment; Unlock ends that. See SHM_LOCK in shmctl(2).
// Errors: EPERM, ENOMEM (RLIMIT_MEMLOCK), EINVAL.
func (s *Segment) Lock() error { return s.control(lock) }

// Unlock undoes [Segment.Lock].
func (s *Segment) Unlock() error { return s.control(unlock) }

func (s *Segment) control(command uintptr) error {
	_, _, errno := syscall.Syscall(unix.SYS_SHMCTL, uintptr(s.id), command, 0)
	return errs.Path("shmctl", s.name, errno)
}
