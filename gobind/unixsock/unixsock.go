// Package unixsock gives connected Unix domain sockets: unix(7), UNP 15.
//
// Reads and writes are the system calls themselves on blocking descriptors, not
// Go's poller, as in package pipe; package net is what suits a server of many
// connections. A small transfer is first tried without telling the scheduler,
// which saves a tenth of its time, and only then as a call that may sleep.
//
// [Listen] and [Dial] make connections by an address, [Pair] makes one without. The other
// end can be asked who it is ([Conn.Peer]) and be sent open files ([Conn.SendRights]).
//
// A [Stream] is bytes without boundaries. On a [SeqPacket] each Write is one
// packet and each Read returns one: what does not fit into the reader's buffer
// is lost.
package unixsock

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
)

// Kind is the type of a socket.
type Kind int

// The kinds that have connections.
const (
	Stream    Kind = unix.SOCK_STREAM
	SeqPacket Kind = unix.SOCK_SEQPACKET
)

// Conn is one end of a connection. It may be used by several goroutines at once,
// as a descriptor may; closing it while a call is in progress is the caller's race.
type Conn struct {
	fd   int
	skip atomic.Int32 // reads that are to sleep without trying first
}

// Pair makes two sockets that are connected to each other and close-on-exec. See
// socketpair(2).
// Error: *os.SyscallError (EMFILE, ENFILE).
func Pair(kind Kind) (a, b *Conn, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, int(kind)|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, errs.Call("socketpair", errs.Errno(err))
	}
	return New(fds[0]), New(fds[1]), nil
}

// New takes over the descriptor of a connected socket.
func New(fd int) *Conn { return &Conn{fd: fd} }

// Read is one read(2): it sleeps while nothing is there, and returns io.EOF when
// the other end is closed. An empty packet cannot be told from that.
// Error: *os.SyscallError (ECONNRESET when the other end was closed with data
// still unread in it).
func (c *Conn) Read(p []byte) (int, error) {
	n, errno := c.tryRead(p)
	for wait := errno == unix.EAGAIN; wait || errno == unix.EINTR; wait = false {
		var err error
		n, err = unix.Read(c.fd, p)
		errno = errs.Errno(err)
	}
	if errno != 0 {
		return 0, errs.Call("read", errno)
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// ReadContext is [Conn.Read] until ctx ends; no byte and no packet is lost then.
func (c *Conn) ReadContext(ctx context.Context, p []byte) (int, error) {
	n, err := blocking.Transfer(ctx, "read", func() (int, error) { return unix.Read(c.fd, p) })
	if n == 0 && err == nil && len(p) > 0 {
		err = io.EOF
	}
	return n, err
}

// Write writes all of p; on a [SeqPacket] as one packet. No SIGPIPE reaches a Go
// program from it.
// Error: *os.SyscallError (EPIPE when the other end is closed, EMSGSIZE for a
// packet that [Conn.SetSendBuffer] would have to make room for).
func (c *Conn) Write(p []byte) (int, error) {
	done, errno := c.tryWrite(p)
	for wait := errno == unix.EAGAIN; wait || errno == unix.EINTR || errno == 0 && done < len(p); wait = false {
		n, err := unix.Write(c.fd, p[done:])
		done += max(n, 0)
		errno = errs.Errno(err)
	}
	return done, errs.Call("write", errno)
}

// WriteContext is [Conn.Write] until ctx ends; it returns how many bytes were
// written, which on a [SeqPacket] is none or all.
func (c *Conn) WriteContext(ctx context.Context, p []byte) (int, error) {
	done := 0
	for {
		n, err := blocking.Transfer(ctx, "write", func() (int, error) { return unix.Write(c.fd, p[done:]) })
		done += n
		if err != nil || done == len(p) {
			return done, err
		}
	}
}

// SendBuffer is SO_SNDBUF: what the kernel holds for the other end, in bytes,
// its own bookkeeping included. A packet may be 32 bytes smaller at most.
func (c *Conn) SendBuffer() (int, error) {
	n, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
	return n, errs.Call("getsockopt", errs.Errno(err))
}

// SetSendBuffer asks for room for n bytes and returns what the kernel gave: twice
// as much for its bookkeeping, and without privilege (CAP_NET_ADMIN) no more than
// twice /proc/sys/net/core/wmem_max. See SO_SNDBUF in socket(7).
func (c *Conn) SetSendBuffer(n int) (int, error) {
	err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, n)
	if err == unix.EPERM {
		err = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, n)
	}
	if err != nil {
		return 0, errs.Call("setsockopt", errs.Errno(err))
	}
	return c.SendBuffer()
}

// Fd is the descriptor, which stays the connection's; -1 after Close.
func (c *Conn) Fd() int { return c.fd }

// Close closes the descriptor. Error: *os.SyscallError (EBADF the second time).
func (c *Conn) Close() error {
	fd := c.fd
	c.fd = -1
	return errs.Call("close", errs.Errno(unix.Close(fd)))
}

// String names the descriptor.
func (c *Conn) String() string { return fmt.Sprintf("unix socket %d", c.fd) }
