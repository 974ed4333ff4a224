package l03memsort

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"unpipc/gobind/mmap"
	"unpipc/gobind/posixshm"
	"unpipc/projects/lectures/l02parallelsort"
)

// NewMemory is a link through shared memory. The worker inherits its descriptor.
func NewMemory() (l l02parallelsort.Link, fd int, close func() error, err error) {
	o, err := posixshm.Memfd("mem_sort", unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, 0, nil, err
	}
	fail := func(err error) (l02parallelsort.Link, int, func() error, error) {
		return nil, 0, nil, errors.Join(err, o.Close())
	}
	if err := o.Truncate(MemorySize); err != nil {
		return fail(err)
	}
	// Nobody can make the other fault by taking the memory away.
	if err := o.Seal(unix.F_SEAL_SHRINK | unix.F_SEAL_GROW); err != nil {
		return fail(err)
	}
	memory, err := mmap.Map(o.Fd(), 0, MemorySize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fail(err)
	}
	c, err := newChannel(memory)
	if err != nil {
		return fail(errors.Join(err, mmap.Unmap(memory)))
	}
	c.word.Or(flag(isWritable))
	return &link{c, memory}, o.Fd(), o.Close, nil
}

type link struct {
	channel *channel
	memory  []byte
}

func (l *link) Receive(p []byte, ended func() bool) error {
	if err := l.channel.receive(p, ended); err != nil {
		return l02parallelsort.ErrEnded
	}
	return nil
}

func (l *link) Close() error { return mmap.Unmap(l.memory) }

// OpenMemory is the worker's end of [NewMemory].
func OpenMemory(parent int) (send func(p []byte) error, err error) {
	memory, err := mmap.Map(l02parallelsort.LinkFD, 0, MemorySize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	c, err := newChannel(memory)
	if err != nil {
		return nil, err
	}
	orphaned := func() bool { return os.Getppid() != parent }
	return func(p []byte) error { return c.send(p, orphaned) }, nil
}
