package transfer

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
	"unpipc/gobind/pipe"
	"unpipc/gobind/unixsock"
	"unpipc/projects/internal/measure"
)

// Channels are the mechanisms by the names that rows and roles use.
var Channels = []string{"pipe", "fifo", "vmsplice", "unix_stream", "unix_seqpacket", "unix_dgram", "tcp",
	"posix_mq", "sysv_mq", "shm_sem"}

// streams have no boundaries between messages, and are written to from any memory.
var streams = []string{"pipe", "fifo", "unix_stream", "tcp"}

// channel is a connection before its two processes have it.
type channel struct {
	kind   string
	ends   [2]end
	remove []func() // what has a name, or would outlive the processes
}

// end is what one process gets: its descriptors from 3 on, and how the command
// line of its role names them.
type end struct {
	in, out string
	files   []file
}

type file interface {
	Fd() int
	Close() error
}

// open makes a channel that takes messages of the given size.
func open(kind string, size int) (*channel, error) {
	c := &channel{kind: kind}
	switch kind {
	case "pipe":
		return c, c.openPipes()
	case "fifo":
		return c, c.openFIFOs()
	case "vmsplice":
		return c, c.openSplicedPipes()
	case "unix_stream":
		return c, c.openSockets(unixsock.Stream, size)
	case "unix_seqpacket":
		return c, c.openSockets(unixsock.SeqPacket, size)
	case "unix_dgram":
		return c, c.openSockets(unix.SOCK_DGRAM, size)
	case "tcp":
		return c, c.openTCP()
	case "posix_mq":
		return c, c.openPosixQueues(size)
	case "sysv_mq":
		return c, c.openSysvQueue(size)
	case "shm_sem":
		return c, c.openRings(size)
	}
	return nil, fmt.Errorf("no such channel: %s", kind)
}

func (c *channel) openPipes() error {
	fromA, toB, err := pipe.New(0)
	if err != nil {
		return err
	}
	fromB, toA, err := pipe.New(0)
	if err != nil {
		fromA.Close()
		toB.Close()
		return err
	}
	c.ends[0] = end{"3", "4", []file{fromB, toB}}
	c.ends[1] = end{"3", "4", []file{fromA, toA}}
	return nil
}

func (c *channel) openFIFOs() error {
	dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-transfer-", os.Getpid()))
	if err != nil {
		return err
	}
	c.remove = append(c.remove, func() { os.RemoveAll(dir) })
	there, back := filepath.Join(dir, "there"), filepath.Join(dir, "back")
	for _, path := range []string{there, back} {
		if err := fifo.Make(path, 0o600); err != nil {
			c.close()
			return err
		}
	}
	c.ends[0] = end{in: back, out: there}
	c.ends[1] = end{in: there, out: back}
	return nil
}

// packetOverhead is what the kernel wants in the send buffer beside a packet.
const packetOverhead = 32

func (c *channel) openSockets(kind unixsock.Kind, size int) error {
	a, b, err := unixsock.Pair(kind)
	if err != nil {
		return err
	}
	c.ends[0] = end{"3", "3", []file{a}}
	c.ends[1] = end{"3", "3", []file{b}}
	if kind == unixsock.Stream {
		return nil
	}
	for _, s := range []*unixsock.Conn{a, b} {
		room, err := s.SendBuffer()
		if err == nil && room < size+packetOverhead {
			// The kernel doubles it, so that two packets are under way as on a pipe.
			room, err = s.SetSendBuffer(size + packetOverhead)
		}
		if err == nil && room < size+packetOverhead {
			err = measure.Skip("a packet of %d bytes needs a send buffer of %d, this one is %d: "+
				"sysctl net.core.wmem_max=%d", size, size+packetOverhead, room, size+packetOverhead)
		}
		if err != nil {
			c.close()
			return err
		}
	}
	return nil
}

// closeEnd closes this process's descriptors of one end. Closing can only fail for
// a descriptor that is not open.
func (c *channel) closeEnd(i int) {
	for _, f := range c.ends[i].files {
		f.Close()
	}
	c.ends[i].files = nil
}

// close closes and removes all of the channel that this process has.
func (c *channel) close() {
	c.closeEnd(0)
	c.closeEnd(1)
	for _, remove := range c.remove {
		remove()
	}
	c.remove = nil
}

func (e *end) fds() []int {
	var fds []int
	for _, f := range e.files {
		fds = append(fds, f.Fd())
	}
	return fds
}
