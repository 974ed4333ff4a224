package sysvshm

import (
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
)

// Attach maps all of the segment where the kernel has room, for reading and writing or,
// with ReadOnly, for reading; a write is SIGSEGV then. [Detach] ends the mapping. A
// program may attach a segment more than once. See shmat(2).
// Errors: EACCES, EINVAL and EIDRM (removed), ENOMEM.
func (s *Segment) Attach(flags int) ([]byte, error) { return s.AttachAt(0, flags) }

// AttachAt is [Segment.Attach] at an address, a multiple of [LBA] unless flags has Round.
// Pointers that are kept in the memory mean the same to all who attached it at the same
// address; offsets do so anywhere. With Remap it takes the place of what is mapped there,
// were it Go's own memory.
// Errors: EINVAL also for an address that is no such multiple or, without Remap, in use.
func (s *Segment) AttachAt(address uintptr, flags int) ([]byte, error) {
	memory, err := unix.SysvShmAttach(s.id, address, flags)
	return memory, errs.Path("shmat", s.name, errs.Errno(err))
}

// Detach ends a mapping, given as [Segment.Attach] returned it; it must not be touched
// then. The end of a process detaches all it had, and so does exec. See shmdt(2).
// Error: EINVAL, also the second time.
func Detach(memory []byte) error {
	return errs.Call("shmdt", errs.Errno(unix.SysvShmDetach(memory)))
}
