package sysvsem

/*
#include "unp_sysvsem.h"
*/
import "C"

import (
	"syscall"
	"time"

	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/sysv"
)

// Stat is the state of a set: struct semid_ds, semctl(2).
type Stat struct {
	ID         int
	Key        Key
	UID, GID   int // owner
	CreatorUID int
	CreatorGID int
	Mode       uint32 // permission bits
	Semaphores int
	Operated   time.Time // last time of [Set.Do], zero if never
	Changed    time.Time // created, or owner, mode or a value set
}

// Stat reads the state of the set (IPC_STAT). Errors: EACCES without read permission.
func (s *Set) Stat() (Stat, error) {
	var c C.struct_unp_semset_stat
	errno := syscall.Errno(C.unp_semset_stat(C.int(s.id), &c))
	return newStat(&c), s.fail("semctl", errno)
}

// Set changes owner (UID, GID) and Mode to those of st, which one has from [Set.Stat]
// (IPC_SET). Errors: EPERM (not the owner).
func (s *Set) Set(st Stat) error {
	c := C.struct_unp_semset_stat{
		uid: C.uint32_t(st.UID), gid: C.uint32_t(st.GID), mode: C.uint32_t(st.Mode),
	}
	return s.fail("semctl", syscall.Errno(C.unp_semset_set(C.int(s.id), &c)))
}

// Info are the limits of this IPC namespace and what is used of them.
type Info struct {
	MaxInSet      int // semaphores in a set: semmsl
	MaxSemaphores int // semaphores in all sets: semmns
	MaxOps        int // operations in a call: semopm
	MaxSets       int // semmni
	MaxValue      int // semvmx
	MaxUndo       int // greatest value that Undo can take back: semaem
	Sets          int // there are now
	Semaphores    int // in all sets
}

// ReadInfo reads them (IPC_INFO and SEM_INFO). Error: *os.SyscallError.
func ReadInfo() (Info, error) {
	i, _, err := readInfo()
	return i, err
}

func readInfo() (info Info, highest int, err error) {
	var c C.struct_unp_semset_info
	if errno := syscall.Errno(C.unp_semset_info(&c)); errno != 0 {
		return info, 0, errs.Call("semctl", errno)
	}
	return Info{
		MaxInSet: int(c.semmsl), MaxSemaphores: int(c.semmns), MaxOps: int(c.semopm),
		MaxSets: int(c.semmni), MaxValue: int(c.semvmx), MaxUndo: int(c.semaem),
		Sets: int(c.sets), Semaphores: int(c.semaphores),
	}, int(c.highest), nil
}

// List is the state of every set in this IPC namespace, readable or not (SEM_STAT_ANY,
// Linux 4.17). Error: *os.SyscallError.
func List() ([]Stat, error) {
	return sysv.List(readInfo, func(index int) (Stat, syscall.Errno) {
		var c C.struct_unp_semset_stat
		errno := syscall.Errno(C.unp_semset_stat_index(C.int(index), &c))
		return newStat(&c), errno
	})
}

func newStat(c *C.struct_unp_semset_stat) Stat {
	return Stat{
		ID: int(c.id), Key: Key(c.key),
		UID: int(c.uid), GID: int(c.gid), CreatorUID: int(c.cuid), CreatorGID: int(c.cgid),
		Mode: uint32(c.mode), Semaphores: int(c.nsems),
		Operated: sysv.Time(int64(c.otime)), Changed: sysv.Time(int64(c.ctime)),
	}
}
