package p08rwlock

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread"
)

const (
	magic   = 0x314c5752 // "RWL1", where the low byte comes first
	places  = 1024       // of the queue of a fair lock
	turns   = 16         // condition variables that they share
	nobody  = 0xffff     // no place
	padding = 64         // every pthread object has a cache line of its own
)

// Size is how many bytes of memory a lock takes, Alignment what its address must be a
// multiple of.
const (
	Size      = int(unsafe.Sizeof(layout{}))
	Alignment = padding
)

// layout is a lock as it lies in memory, the same as struct myrwlock in ref/layout.h.
// All but magic is guarded by mutex.
type layout struct {
	magic   uint32 // stored last
	policy  Policy
	readers uint32    // who hold it
	writer  uint32    // 1 while it is held for writing
	waiting [2]uint32 // who wait, by Kind

	// The queue of a fair lock: its first and last place, the first free one, and how
	// many have ever been used.
	head, tail, free, used uint16

	_        [padding - 32]byte
	mutex    [padding]byte
	readable [padding]byte
	writable [padding]byte
	turn     [turns][padding]byte
	place    [places]place
}

// place is one who waits in the queue.
type place struct {
	next    uint16 // in the queue, or of the free places
	prev    uint16 // in the queue
	kind    uint16
	granted uint16 // 1: has left the queue and holds the lock
}

// Pthread objects that did not fit would not compile.
var (
	_ = [padding + 1]byte{pthread.MutexSize: 0}
	_ = [padding + 1]byte{pthread.CondSize: 0}
)

// at is the lock in memory, or EINVAL.
func at(memory []byte) (*layout, error) {
	addr := unsafe.Pointer(unsafe.SliceData(memory))
	if len(memory) < Size || uintptr(addr)%Alignment != 0 {
		return nil, fail("init", unix.EINVAL)
	}
	return (*layout)(addr), nil
}
