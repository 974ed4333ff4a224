package p10sempool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/unixsock"
)

// request is what a worker sends for the descriptor of the connection it holds.
type request struct {
	magic       [8]byte
	entry, slot uint32
	serial      uint64
}

// answer comes back, with the descriptor if status is 0; else text says why not.
type answer struct {
	status, slot uint32
	text         [120]byte
}

const (
	requestSize = int(unsafe.Sizeof(request{}))
	answerSize  = int(unsafe.Sizeof(answer{}))
)

var lendMagic = [8]byte([]byte("UNPLEND\x00"))

// maxClients bounds the workers that have connected and not asked yet.
const maxClients = 64

// lender opens the connections and hands them to workers.
type lender struct {
	pool        *pool
	backend     *Backend
	log         io.Writer
	listener    *unixsock.Listener
	clients     []*unixsock.Conn
	connections []int // descriptors; -1: to be opened
}

// newLender opens the connections that are free, and the socket that workers ask at. The
// kernel chooses its address, in no folder; workers find it in the pool.
func newLender(p *pool, b *Backend, log io.Writer) (*lender, error) {
	l := &lender{pool: p, backend: b, log: log, connections: make([]int, p.slots)}
	for k := range l.connections {
		l.connections[k] = -1
	}
	var err error
	if l.listener, err = unixsock.Listen(unixsock.SeqPacket, ""); err != nil {
		return nil, err
	}
	err = unix.SetNonblock(l.listener.Fd(), true)
	for k := range l.connections {
		if err == nil && p.slot[k].holder == 0 {
			l.connections[k], err = b.dial()
		}
	}
	if err == nil {
		err = p.lock()
	}
	if err != nil {
		l.close()
		return nil, err
	}
	p.shared.address = [32]byte{}
	copy(p.shared.address[:], l.listener.Addr()[1:]) // without the "@"
	p.unlock()
	return l, nil
}

func (l *lender) close() {
	for _, c := range l.clients {
		_ = c.Close()
	}
	for _, fd := range l.connections {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	_ = l.listener.Close()
}

// accept takes the connection of a worker that is going to ask.
func (l *lender) accept() {
	c, err := l.listener.Accept()
	if err != nil {
		return // it is gone, or there are no descriptors: it tries again
	}
	if unix.SetNonblock(c.Fd(), true) != nil {
		_ = c.Close()
		return
	}
	l.clients = append(l.clients, c)
}

// serve answers one worker that has asked. Deaths are noticed between two of them.
func (l *lender) serve(i int) {
	c := l.clients[i]
	last := len(l.clients) - 1
	l.clients[i] = l.clients[last]
	l.clients = l.clients[:last]
	defer c.Close()
	var r request
	n, err := c.Read(unsafe.Slice((*byte)(unsafe.Pointer(&r)), requestSize))
	if err != nil || n != requestSize {
		return // it is gone
	}
	a := answer{slot: r.slot}
	fd, err := l.lend(c, &r)
	message := unsafe.Slice((*byte)(unsafe.Pointer(&a)), answerSize)
	if err != nil {
		a.status = 1
		copy(a.text[:len(a.text)-1], err.Error())
		_, _ = c.SendRights(message)
		return
	}
	_, _ = c.SendRights(message, fd)
}

// lend is the descriptor for a worker that holds the connection.
func (l *lender) lend(c *unixsock.Conn, r *request) (int, error) {
	dirty, holds := l.entitled(c, r)
	if !holds {
		return -1, errors.New("not held by who asks for it")
	}
	fd := l.connections[r.slot]
	if fd >= 0 {
		why := errors.New("its worker died")
		if !dirty {
			why = l.backend.broken(fd)
		}
		if why != nil {
			drop(fd)
			fd = -1
			fmt.Fprintf(l.log, "Connection %d: replaced (%v)\n", r.slot+1, why)
		}
	}
	var err error
	if fd < 0 {
		fd, err = l.backend.dial()
	}
	l.connections[r.slot] = fd
	return fd, err
}

// entitled says whether a worker holds what it asks for, and whether the one before it
// died with it.
func (l *lender) entitled(c *unixsock.Conn, r *request) (dirty, holds bool) {
	peer, err := c.Peer()
	p := l.pool
	if err != nil || peer.UID != uint32(unix.Geteuid()) || r.magic != lendMagic ||
		r.entry >= maxEntries || r.slot >= p.slots || p.lock() != nil {
		return false, false
	}
	defer p.unlock()
	e := &p.table[r.entry]
	if e.state != holding || e.slot != r.slot || e.serial != r.serial || int(e.pid) != peer.Pid {
		return false, false
	}
	dirty = p.slot[r.slot].dirty != 0
	p.slot[r.slot].dirty = 0
	return dirty, true
}

// borrow asks the manager once for the descriptor of the connection that the worker holds.
func (w *Worker) borrow() (int, error) {
	p := w.pool
	if _, err := w.lock(); err != nil {
		return -1, err
	}
	address, _, _ := bytes.Cut(p.shared.address[:], []byte{0})
	name, manager := "@"+string(address), int(p.manager)
	p.unlock()
	c, err := unixsock.Dial(unixsock.SeqPacket, name)
	if err != nil {
		return -1, fmt.Errorf("manager %d: %w", manager, errors.Unwrap(err))
	}
	defer c.Close()
	peer, err := c.Peer()
	if err != nil || peer.UID != uint32(unix.Geteuid()) || peer.Pid != manager {
		return -1, fmt.Errorf("who answers is not manager %d", manager)
	}
	r := request{lendMagic, uint32(w.index), w.slot, w.serial}
	_ = unix.SetsockoptTimeval(c.Fd(), unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5})
	if _, err := c.Write(unsafe.Slice((*byte)(unsafe.Pointer(&r)), requestSize)); err != nil {
		return -1, fmt.Errorf("manager %d has not answered", manager)
	}
	var a answer
	n, fds, err := c.ReceiveRights(unsafe.Slice((*byte)(unsafe.Pointer(&a)), answerSize), 1)
	switch {
	case err == nil && n == answerSize && a.status == 0 && len(fds) == 1:
		return fds[0], nil
	case len(fds) > 0:
		_ = unix.Close(fds[0])
	}
	if err != nil || n != answerSize {
		return -1, fmt.Errorf("manager %d has not answered", manager)
	}
	text, _, _ := bytes.Cut(a.text[:], []byte{0})
	return -1, errors.New(string(text))
}
