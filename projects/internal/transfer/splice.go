package transfer

import (
	"os"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/measure"
)

// splicer is the writing end of a pipe that is given pages instead of bytes: the reader
// copies them from the writer's memory. See vmsplice(2).
//
// A page must not change until it is read, and nobody tells when it is. But each message
// takes one of the pipe's slots at least: with a room for each slot and one more, who
// comes back to a room finds that what was in it has left the pipe.
type splicer struct {
	fd    int
	rooms [][]byte
	next  int
}

// newSplicer has rooms for messages of up to size bytes.
func newSplicer(fd, size int) (*splicer, error) {
	page := os.Getpagesize()
	held, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	count, room := held/page+1, (size+page)&^(page-1) // at least a byte more, see newMessage
	memory, err := unix.Mmap(-1, 0, count*room, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	s := &splicer{fd: fd}
	for at := 0; at < len(memory); at += room {
		s.rooms = append(s.rooms, memory[at:at+room])
	}
	return s, nil
}

// stage is where to build message seq, so that Write need not copy it. It has the bytes
// of m.
func (s *splicer) stage(m []byte, seq uint64) []byte {
	room := s.rooms[s.next][:len(m)]
	if seq <= uint64(len(s.rooms)) {
		copy(room, m)
	}
	return room
}

// Write sends what stage returned, or a copy of p.
func (s *splicer) Write(p []byte) (int, error) {
	room := s.rooms[s.next][:len(p)]
	if &p[0] != &room[0] {
		copy(room, p)
	}
	if s.next++; s.next == len(s.rooms) {
		s.next = 0
	}
	for len(room) > 0 {
		part := unix.Iovec{Base: &room[0]}
		part.SetLen(len(room))
		n, err := unix.Vmsplice(s.fd, []unix.Iovec{part}, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return len(p) - len(room), os.NewSyscallError("vmsplice", err)
		}
		room = room[n:]
	}
	return len(p), nil
}

// openSplicedPipes are pipes, where the kernel lets pages be given to them.
func (c *channel) openSplicedPipes() error {
	if err := c.openPipes(); err != nil {
		return err
	}
	if _, err := unix.Vmsplice(c.ends[0].files[1].Fd(), nil, 0); err != nil {
		c.close()
		return measure.Skip("vmsplice: %w", err)
	}
	return nil
}
