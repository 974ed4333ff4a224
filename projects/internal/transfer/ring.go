package transfer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixsem"
	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/measure"
)

// A ring is UNPv2's producer and consumer with one of each: a shared memory object
// that holds
//
//	  0  number of slots, then bytes of payload in one, both 32 bits
//	128  semaphore full: slots that hold a message
//	256  semaphore empty: slots that do not
//	384  the slots, each a multiple of 64 bytes: length (32 bits, 4 unused), payload
//
// in the byte order of the machine. Each process keeps its own index of the next
// slot: with one at each end it is nobody else's business.
const (
	ringFull  = 128
	ringEmpty = 256
	ringSlots = 384

	slotHeader = 8
)

// Bytes and slots of a new ring: what a pipe holds, but at least two messages and no
// more than do any good.
const (
	ringBytes = 64 << 10
	slotsMin  = 2
	slotsMax  = 64
)

// openRings makes shared memory for each direction.
func (c *channel) openRings(size int) error {
	names := [2]string{objectName("there"), objectName("back")}
	for _, name := range names {
		if err := c.makeRing(name, max(size, sumSize)); err != nil {
			c.close()
			return err
		}
	}
	c.ends[0] = end{in: names[1], out: names[0]}
	c.ends[1] = end{in: names[0], out: names[1]}
	return nil
}

func (c *channel) makeRing(name string, room int) error {
	o, err := posixshm.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer o.Close()
	c.remove = append(c.remove, func() { _ = posixshm.Unlink(name) })
	slots := min(max(ringBytes/room, slotsMin), slotsMax)
	bytes := ringSlots + slots*slotSize(room)
	if err := o.Allocate(bytes); errors.Is(err, unix.ENOSPC) {
		return measure.Skip("%w: two rings of %d bytes need a larger /dev/shm (docker run --shm-size)", err, bytes)
	} else if err != nil {
		return err
	}
	memory, err := o.Map(bytes, true)
	if err != nil {
		return err
	}
	binary.NativeEndian.PutUint32(memory, uint32(slots))
	binary.NativeEndian.PutUint32(memory[4:], uint32(room))
	_, fullErr := posixsem.Init(memory[ringFull:ringEmpty], 0)
	_, emptyErr := posixsem.Init(memory[ringEmpty:ringSlots], uint(slots))
	return errors.Join(fullErr, emptyErr, posixshm.Unmap(memory))
}

// slotSize is how far apart slots are.
func slotSize(room int) int { return (slotHeader + room + 63) &^ 63 }

// ring is one direction, as the process at one end of it has it.
type ring struct {
	full, empty *posixsem.Sem
	slots       [][]byte
	next        int
}

func openRing(name string) (*ring, error) {
	o, err := posixshm.Open(name, unix.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	bytes, err := o.Size()
	if err != nil {
		return nil, err
	}
	if bytes < ringSlots {
		return nil, fmt.Errorf("%s: %d bytes are no ring", name, bytes)
	}
	memory, err := o.Map(bytes, true) // until the process ends
	if err != nil {
		return nil, err
	}
	slots, room := int(binary.NativeEndian.Uint32(memory)), int(binary.NativeEndian.Uint32(memory[4:]))
	if slots < 1 || bytes != ringSlots+slots*slotSize(room) {
		return nil, fmt.Errorf("%s: %d bytes are no ring of %d slots for %d bytes", name, bytes, slots, room)
	}
	r := new(ring)
	for i := range slots {
		at := ringSlots + i*slotSize(room)
		r.slots = append(r.slots, memory[at:at+slotHeader+room])
	}
	if r.full, err = posixsem.At(memory[ringFull:]); err != nil {
		return nil, err
	}
	r.empty, err = posixsem.At(memory[ringEmpty:])
	return r, err
}

// slot is the next one in turn.
func (r *ring) slot() []byte {
	s := r.slots[r.next]
	r.next++
	if r.next == len(r.slots) {
		r.next = 0
	}
	return s
}

// Write puts one message into the ring, and sleeps while all slots are full.
func (r *ring) Write(m []byte) (int, error) {
	if err := r.empty.Wait(); err != nil {
		return 0, err
	}
	s := r.slot()
	if len(m) > len(s)-slotHeader {
		return 0, fmt.Errorf("a message of %d bytes for a slot of %d", len(m), len(s)-slotHeader)
	}
	binary.NativeEndian.PutUint32(s, uint32(len(m)))
	put(s[slotHeader:], m)
	return len(m), r.full.Post()
}

// put copies m. Go leaves a large copy to one instruction of the CPU, which takes twice the
// time unless it begins where a cache line does; C's memcpy sees to that itself.
func put(to, m []byte) {
	const line, large = 64, 2048
	if len(m) < large {
		copy(to, m)
		return
	}
	before := int(-uintptr(unsafe.Pointer(unsafe.SliceData(to))) % line)
	copy(to[:before], m)
	copy(to[before:], m[before:])
}

// Read takes one message out of the ring, and sleeps while there is none.
func (r *ring) Read(p []byte) (int, error) {
	if err := r.full.Wait(); err != nil {
		return 0, err
	}
	s := r.slot()
	n := int(binary.NativeEndian.Uint32(s))
	if n > len(s)-slotHeader {
		return 0, fmt.Errorf("a message of %d bytes in a slot of %d", n, len(s)-slotHeader)
	}
	return copy(p, s[slotHeader:slotHeader+n]), r.empty.Post()
}
