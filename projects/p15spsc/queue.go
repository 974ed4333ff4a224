package p15spsc

import (
	"errors"
	"fmt"
	"math/bits"
	"sync/atomic"
	"unsafe"

	"unpipc/gobind/ordered"
)

// Block is the distance in bytes of what one side writes from what the other does: two
// cache lines, because CPUs fetch them in pairs.
const Block = 128

// The layout, for any language. All words are in the byte order of the machine.
const (
	offMagic    = 0  // 64 bits, written last
	offVersion  = 8  // 32 bits
	offKind     = 12 // 32 bits: a Kind
	offCapacity = 16 // 64 bits: slots, a power of two
	offTail     = 24 // 32 bits: where the tail is
	offHead     = 28 // 32 bits: where the head is
	offSlots    = 32 // 32 bits: where the slots are
	offPromised = 40 // 64 bits: how many items the producer is going to write; 0: unknown

	tailBlock  = 1 * Block
	headBlock  = 2 * Block
	mutexBlock = 3 * Block // of the queues with locks: pthread_mutex_t
	fullBlock  = 4 * Block // pthread_cond_t, or sem_t
	emptyBlock = 5 * Block
	slotsBlock = 6 * Block

	slotBytes = 8

	magic   = 0x756e702d73707363 // "unp-spsc" read as a number
	version = 1
)

// MaxCapacity bounds what a queue may claim to hold: 2 GiB of slots.
const MaxCapacity = 1 << 28

// Errors of [Attach].
var (
	// ErrNotReady: there is no queue yet; the one who makes it may not be ready.
	ErrNotReady = errors.New("no queue yet")
	// ErrFormat is in every error about memory that is no queue of this kind.
	ErrFormat = errors.New("not a queue of this layout")
	// ErrCorrupt: an index of the other side is not possible.
	ErrCorrupt = errors.New("the queue's indices are corrupt")
)

// Queue is a queue in memory that its two ends share.
type Queue struct {
	memory   []byte
	kind     Kind
	capacity uint64
	tail     *uint64 // items ever written; the producer's
	head     *uint64 // items ever read; the consumer's
	slots    *uint64 // the first
}

// Size is how many bytes a queue of so many slots takes.
func Size(capacity int) int { return slotsBlock + capacity*slotBytes }

// Create makes an empty queue in memory: a shared mapping, or [Heap] within a process, which the race detector sees.
// capacity must be a power of two up to [MaxCapacity] and fit. promised is how many items
// the producer is going to write, for the consumer to know; 0 if that is open.
func Create(memory []byte, capacity int, kind Kind, promised uint64) (*Queue, error) {
	if err := CheckCapacity(capacity); err != nil {
		return nil, fmt.Errorf("capacity: %w", err)
	}
	if len(memory) < Size(capacity) || uintptr(unsafe.Pointer(unsafe.SliceData(memory)))%Block != 0 {
		return nil, fmt.Errorf("%d bytes of memory for a queue of %d, or not aligned to %d", len(memory), Size(capacity), Block)
	}
	clear(memory[:slotsBlock])
	*word[uint32](memory, offVersion) = version
	*word[uint32](memory, offKind) = uint32(kind)
	*word[uint64](memory, offCapacity) = uint64(capacity)
	*word[uint32](memory, offTail) = tailBlock
	*word[uint32](memory, offHead) = uint32(kind.headAt())
	*word[uint32](memory, offSlots) = slotsBlock
	*word[uint64](memory, offPromised) = promised
	if err := initLocks(memory, kind, capacity); err != nil {
		return nil, err
	}
	ordered.Store(word[uint64](memory, offMagic), magic)
	return Attach(memory)
}

// Attach finds the queue that is in memory. Everything it says of itself is checked and
// remembered, so that nothing written there later leads outside the memory.
// Errors: [ErrNotReady], [ErrFormat].
func Attach(memory []byte) (*Queue, error) {
	if len(memory) < slotsBlock || uintptr(unsafe.Pointer(unsafe.SliceData(memory)))%Block != 0 {
		return nil, fmt.Errorf("%w: %d bytes", ErrFormat, len(memory))
	}
	switch m := atomic.LoadUint64(word[uint64](memory, offMagic)); m {
	case magic:
	case 0:
		return nil, ErrNotReady
	default:
		return nil, fmt.Errorf("%w: magic %#x", ErrFormat, m)
	}
	if v := *word[uint32](memory, offVersion); v != version {
		return nil, fmt.Errorf("%w: version %d, this is for %d", ErrFormat, v, version)
	}
	q := &Queue{memory: memory, kind: Kind(*word[uint32](memory, offKind)), capacity: *word[uint64](memory, offCapacity)}
	switch {
	case q.kind >= kinds:
		return nil, fmt.Errorf("%w: kind %d", ErrFormat, q.kind)
	case q.capacity < 1 || q.capacity > MaxCapacity || bits.OnesCount64(q.capacity) != 1,
		Size(int(q.capacity)) > len(memory):
		return nil, fmt.Errorf("%w: %d slots in %d bytes", ErrFormat, q.capacity, len(memory))
	case *word[uint32](memory, offTail) != tailBlock,
		*word[uint32](memory, offHead) != uint32(q.kind.headAt()),
		*word[uint32](memory, offSlots) != slotsBlock:
		return nil, fmt.Errorf("%w: its parts are elsewhere", ErrFormat)
	}
	q.tail, q.head = word[uint64](memory, tailBlock), word[uint64](memory, q.kind.headAt())
	q.slots = word[uint64](memory, slotsBlock)
	return q, nil
}

// Heap is memory for a queue within a process, which the race detector sees.
func Heap(capacity int) []byte {
	words := make([]uint64, (Size(capacity)+Block)/8)
	start := unsafe.Pointer(unsafe.SliceData(words))
	skip := -uintptr(start) % Block
	return unsafe.Slice((*byte)(unsafe.Add(start, skip)), Size(capacity))
}

// Capacity is the number of slots.
func (q *Queue) Capacity() int { return int(q.capacity) }

// Kind is what was given to [Create].
func (q *Queue) Kind() Kind { return q.kind }

// Promised is how many items there will be in all; 0: unknown.
func (q *Queue) Promised() uint64 { return *word[uint64](q.memory, offPromised) }

// word is a word of the memory, in which it lies as a whole.
func word[T uint32 | uint64](memory []byte, at int) *T {
	return (*T)(unsafe.Pointer(&memory[at : at+int(unsafe.Sizeof(T(0)))][0]))
}

// slot is where item n is. The index is masked, whatever n is.
func slot(slots *uint64, mask, n uint64) *uint64 {
	return (*uint64)(unsafe.Add(unsafe.Pointer(slots), (n&mask)*slotBytes))
}

// Len is how many items were in the queue at some time during the call.
func (q *Queue) Len() int {
	head := atomic.LoadUint64(q.head)
	return int(atomic.LoadUint64(q.tail) - head)
}
