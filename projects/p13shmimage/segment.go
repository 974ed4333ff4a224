package p13shmimage

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/mmap"
	"unpipc/gobind/sysvshm"
)

// newSegment makes and attaches a segment and removes it: it is gone when the last process
// has detached it, however that ends.
func newSegment(bytes int) (id int, memory []byte, err error) {
	s, err := get(bytes)
	if err != nil {
		return 0, nil, err
	}
	memory, err = s.Attach(0)
	if err = errors.Join(err, s.Remove()); err != nil {
		return 0, nil, err
	}
	memory, err = align(s, memory)
	return s.ID(), memory, err
}

// attach attaches the segment of another process.
func attach(id int) ([]byte, error) {
	s := sysvshm.Open(id)
	memory, err := s.Attach(0)
	if err != nil {
		return nil, err
	}
	return align(s, memory)
}

// hugePage is what sizes and addresses of segments of huge pages are multiples of. With
// them a process finds its way to 2 MiB with one fault instead of 512.
const hugePage = 2 << 20

// get makes the segment, of huge pages if enough are set aside. Else its size is still a
// multiple of theirs: take may find some.
func get(bytes int) (*sysvshm.Segment, error) {
	if bytes >= hugePage {
		bytes = (bytes + hugePage - 1) / hugePage * hugePage
		s, err := sysvshm.Get(sysvshm.Private, bytes, sysvshm.HugeTLB|sysvshm.Huge2MB|0o600)
		if err == nil {
			return s, nil
		}
	}
	return sysvshm.Get(sysvshm.Private, bytes, 0o600)
}

// align attaches a segment again if it is not at an address where huge pages can be mapped.
// If there is no such address it stays where it is.
func align(s *sysvshm.Segment, memory []byte) ([]byte, error) {
	if address(memory)%hugePage == 0 || len(memory) < hugePage {
		return memory, nil
	}
	free, err := mmap.Map(-1, 0, len(memory)+hugePage, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return memory, nil
	}
	at := (address(free) + hugePage - 1) / hugePage * hugePage
	if err := mmap.Unmap(free); err != nil {
		return nil, err
	}
	aligned, err := s.AttachAt(at, 0)
	if err != nil {
		return memory, nil // another thread has taken the place
	}
	return aligned, sysvshm.Detach(memory)
}

func address(memory []byte) uintptr { return uintptr(unsafe.Pointer(&memory[0])) }

// take has the kernel find memory for all of the segment. What it has not got is an error
// here, and later the end of a process.
func take(memory []byte) error {
	huge := true
	for at := 0; at < len(memory); at += hugePage {
		part := memory[at:min(at+hugePage, len(memory))]
		huge = huge && collapse(part)
		if err := populate(part); err != nil {
			return fmt.Errorf("no memory for %d MiB: %w", len(memory)>>20, err)
		}
	}
	return nil
}

// collapse makes one huge page of where a small one is: its other 511 need not be found
// first. It is false where there is no use in trying others: before Linux 6.1, or when
// memory is in pieces.
func collapse(memory []byte) bool {
	if populate(memory[:1]) != nil {
		return false
	}
	err := mmap.Advise(memory, unix.MADV_COLLAPSE)
	return err == nil || errors.Is(err, unix.EAGAIN) // as while the decoder touches it
}

// populate has all pages of memory found and mapped.
func populate(memory []byte) error {
	err := mmap.Advise(memory, unix.MADV_POPULATE_WRITE)
	if errors.Is(err, unix.EINVAL) {
		return nil // before Linux 5.14
	}
	return err
}
