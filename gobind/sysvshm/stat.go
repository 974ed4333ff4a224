package sysvshm

/*
#include "unp_sysvshm.h"
*/
import "C"

import (
	"syscall"
	"time"

	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/sysv"
)

// Stat is the state of a segment: struct shmid_ds, shmctl(2).
type Stat struct {
	ID          int
	Key         Key // Private once it was removed
	UID, GID    int // owner
	CreatorUID  int
	CreatorGID  int
	Mode        uint32 // permission bits
	Removed     bool   // SHM_DEST: gone with its last mapping; ipcs says "dest"
	Locked      bool   // SHM_LOCKED
	Bytes       int
	Attached    int // mappings there are now: nattch
	CreatorPID  int
	LastPID     int       // of the last shmat or shmdt, 0 if there was none
	AttachTime  time.Time // last time, zero if never
	DetachTime  time.Time
	ChangedTime time.Time // made, or owner or mode set
}

// Stat reads the state of the segment (IPC_STAT). Errors: EACCES without read
// permission, EINVAL, EIDRM.
func (s *Segment) Stat() (Stat, error) {
	var c C.struct_unp_shm_stat
	errno := syscall.Errno(C.unp_shm_stat(C.int(s.id), &c))
	return newStat(&c), errs.Path("shmctl", s.name, errno)
}

// Set changes owner (UID, GID) and Mode to those of st, which one has from
// [Segment.Stat] (IPC_SET). Error: EPERM (not the owner).
func (s *Segment) Set(st Stat) error {
	c := C.struct_unp_shm_stat{uid: C.uint32_t(st.UID), gid: C.uint32_t(st.GID), mode: C.uint32_t(st.Mode)}
	return errs.Path("shmctl", s.name, syscall.Errno(C.unp_shm_set(C.int(s.id), &c)))
}

// Info are the limits of this IPC namespace and what is used of them. The kernel's
// limits can be as large as what an address can name, and more than an int holds.
type Info struct {
	MaxBytes    uint64 // in a segment: shmmax
	MinBytes    uint64 // in a segment: shmmin
	MaxSegments int    // shmmni
	MaxPages    uint64 // in all segments: shmall
	Segments    int    // there are now
	Pages       int    // that they have, touched or not
	Resident    int    // pages of them in memory
	Swapped     int    // pages of them that are swapped out
}

// ReadInfo reads them (IPC_INFO and SHM_INFO). Error: *os.SyscallError.
func ReadInfo() (Info, error) {
	i, _, err := readInfo()
	return i, err
}

func readInfo() (info Info, highest int, err error) {
	var c C.struct_unp_shm_info
	if errno := syscall.Errno(C.unp_shm_info(&c)); errno != 0 {
		return info, 0, errs.Call("shmctl", errno)
	}
	return Info{
		MaxBytes: uint64(c.shmmax), MinBytes: uint64(c.shmmin), MaxSegments: int(c.shmmni), MaxPages: uint64(c.shmall),
		Segments: int(c.segments), Pages: int(c.pages), Resident: int(c.resident), Swapped: int(c.swapped),
	}, int(c.highest), nil
}

// List is the state of every segment in this IPC namespace, readable or not
// (SHM_STAT_ANY, Linux 4.17). Error: *os.SyscallError.
func List() ([]Stat, error) {
	return sysv.List(readInfo, func(index int) (Stat, syscall.Errno) {
		var c C.struct_unp_shm_stat
		errno := syscall.Errno(C.unp_shm_stat_index(C.int(index), &c))
		return newStat(&c), errno
	})
}

func newStat(c *C.struct_unp_shm_stat) Stat {
	return Stat{
		ID: int(c.id), Key: Key(c.key),
		UID: int(c.uid), GID: int(c.gid), CreatorUID: int(c.cuid), CreatorGID: int(c.cgid),
		Mode: uint32(c.mode) & 0o777, Removed: c.mode&C.UNP_SHM_DEST != 0, Locked: c.mode&C.UNP_SHM_LOCKED != 0,
		Bytes: int(c.bytes), Attached: int(c.nattch), CreatorPID: int(c.cpid), LastPID: int(c.lpid),
		AttachTime: sysv.Time(int64(c.atime)), DetachTime: sysv.Time(int64(c.dtime)), ChangedTime: sysv.Time(int64(c.ctime)),
	}
}
