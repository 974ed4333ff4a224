package p13shmimage

import (
	"errors"
	"fmt"

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
	return s.ID(), memory, nil
}

// hugePage is what sizes of segments of huge pages are multiples of.
const hugePage = 2 << 20

// get makes the segment, of huge pages if enough are set aside: then a process finds its
// way to 2 MiB with one fault instead of 512.
func get(bytes int) (*sysvshm.Segment, error) {
	if bytes >= hugePage {
		huge := (bytes + hugePage - 1) / hugePage * hugePage
		s, err := sysvshm.Get(sysvshm.Private, huge, sysvshm.HugeTLB|sysvshm.Huge2MB|0o600)
		if err == nil {
			return s, nil
		}
	}
	return sysvshm.Get(sysvshm.Private, bytes, 0o600)
}

// take has the kernel find memory for all of the segment. What it has not got is an error
// here, and later the end of a process.
func take(memory []byte) error {
	const step = 16 << 20 // so that a signal does not wait for long
	for at := 0; at < len(memory); at += step {
		err := mmap.Advise(memory[at:min(at+step, len(memory))], unix.MADV_POPULATE_WRITE)
		if errors.Is(err, unix.EINVAL) {
			return nil // before Linux 5.14
		}
		if err != nil {
			return fmt.Errorf("no memory for %d MiB: %w", len(memory)>>20, err)
		}
	}
	return nil
}
