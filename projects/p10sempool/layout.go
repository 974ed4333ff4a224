package p10sempool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"unpipc/gobind/posixsem"
	"unpipc/gobind/pthread"
)

// DefaultName is the pool's name where none is given.
const DefaultName = "/connection_pool"

// MaxConnections is the size of the largest pool.
const MaxConnections = 1024

const (
	maxEntries = 1024 // workers at once
	version    = 1
)

var (
	magic  = [8]byte([]byte("UNPPOOL\x00"))
	making = [8]byte([]byte("UNPMAKE\x00")) // a manager is filling it in, or was killed doing so
)

// The states of an entry.
const (
	unused  uint32 = iota
	idle           // neither waits nor holds
	waiting        // at the semaphore, or about to be
	granted        // has come back from the semaphore
	holding
)

// entry is a worker. The state is written last, so that one who is killed leaves a whole
// entry. The layout is that of ref/layout.h.
type entry struct {
	state   uint32
	slot    uint32 // that it holds
	pid     int32
	worker  uint32 // its number on the command line
	started uint64 // field 22 of /proc/PID/stat
	serial  uint64 // no other worker of this pool has it
	ticket  uint64 // the order in which workers began to wait
	since   uint64 // CLOCK_MONOTONIC, ns: in this state
	_       [2]uint64
}

// slot is a connection, as far as workers know it.
type slot struct {
	holder uint32 // entry + 1; 0: free
	dirty  uint32 // its holder died, perhaps in the middle of a request
	uses   uint64
}

// counters only ever grow, but for the longest wait, which begins anew with each report.
type counters struct {
	Lent, Released, Reclaimed, GaveUp, Overtaken uint64
	LongestWait                                  uint64 // ns
	Seen, Completed, Failed, Died                uint64 // workers
}

// shared is the memory of a pool.
type shared struct {
	header
	semaphore [64]byte
	mutex     [64]byte
	// All below is under the mutex.
	manager        int32
	closed         uint32
	managerStarted uint64
	address        [32]byte // of its socket, abstract, without the leading NUL; "" if it lends none
	free, waiting  uint32   // follow from the entries, see repair
	serials        uint64
	tickets        uint64
	counters       counters
	_              [168]byte
	table          [maxEntries]entry
	slot           [MaxConnections]slot
}

type header struct {
	magic                                              [8]byte
	version, slots, entries, semSize, mutexSize, lends uint32
	size, checksum                                     uint64 // of all before it but magic
	_                                                  [16]byte
}

const sharedSize = int(unsafe.Sizeof(shared{}))

// newHeader is that of a pool of this program.
func newHeader(slots int, lends bool) header {
	h := header{magic: magic, version: version, slots: uint32(slots), entries: maxEntries,
		semSize: uint32(posixsem.Size), mutexSize: pthread.MutexSize, size: uint64(sharedSize)}
	if lends {
		h.lends = 1
	}
	h.checksum = h.sum()
	return h
}

// sum is FNV-1a of the fields, so that no single one can be wrong unnoticed.
func (h *header) sum() uint64 {
	sum := uint64(0xcbf29ce484222325)
	bytes := (*[unsafe.Sizeof(*h)]byte)(unsafe.Pointer(h))
	for _, b := range bytes[unsafe.Offsetof(h.version):unsafe.Offsetof(h.checksum)] {
		sum = (sum ^ uint64(b)) * 0x100000001b3
	}
	return sum
}

// mutexKind is where glibc keeps a mutex's kind, which does not change.
const mutexKind = 16

// mutexAttr is what the pool's lock is.
var mutexAttr = pthread.MutexAttr{Robust: true, Shared: true}

// unfit says why memory is not a pool of ours, nil if it is one.
func unfit(memory []byte) error {
	if len(memory) < int(unsafe.Sizeof(header{})) || [8]byte(memory) != magic {
		return errors.New("not a connection pool")
	}
	h := (*header)(unsafe.Pointer(unsafe.SliceData(memory)))
	switch {
	case h.version != version:
		return fmt.Errorf("version %d of the layout, not %d", h.version, version)
	case h.checksum != h.sum():
		return errors.New("the header is damaged")
	case h.size != uint64(len(memory)) || h.size != uint64(sharedSize) || h.entries != maxEntries || h.slots < 1 ||
		h.slots > MaxConnections || h.semSize != uint32(posixsem.Size) || h.mutexSize != pthread.MutexSize:
		return errors.New("another layout")
	}
	// Of a mutex of another kind libc would do what it likes, abort included.
	fresh := make([]uint64, pthread.MutexSize/8)
	freshBytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(fresh))), pthread.MutexSize)
	if _, err := pthread.InitMutex(freshBytes, mutexAttr); err != nil {
		return err
	}
	theirs := (*shared)(unsafe.Pointer(h)).mutex
	if kind := binary.NativeEndian.Uint32(theirs[mutexKind:]); kind != binary.NativeEndian.Uint32(freshBytes[mutexKind:]) {
		return errors.New("the lock is damaged")
	}
	return nil
}
