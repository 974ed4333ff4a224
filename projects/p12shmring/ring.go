package p12shmring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// The layout, see the package. Words are in the byte order of the machine.
const (
	offMagic     = 0  // 64 bits, written last
	offVersion   = 8  // 32 bits
	offCapacity  = 16 // 64 bits
	offTailAt    = 24 // 32 bits each
	offHeadAt    = 28
	offBytesAt   = 32
	tailAt       = 128
	headAt       = 256
	consumerWord = 384
	producerWord = 512
	producerDone = 640
	consumerDone = 644
	bytesAt      = 1024

	magic   = 0x756e702d72696e67 // "unp-ring" read as a number
	version = 1
)

// A record's first 8 bytes are its length and one of these.
const (
	recordHeader = 8
	markMessage  = 0x6d736721 // "msg!"
	markSkip     = 0x736b6970 // "skip"
)

// The least and the greatest capacity in bytes.
const (
	LeastCapacity    = 64
	GreatestCapacity = 1 << 31
)

// Errors of this package.
var (
	// ErrNotReady: there is no ring yet; the one who makes it may not be ready.
	ErrNotReady = errors.New("no ring yet")
	// ErrFormat is in every error about memory that is no ring of this layout.
	ErrFormat = errors.New("not a ring of this layout")
	// ErrCorrupt: what the other side has written is not possible.
	ErrCorrupt = errors.New("the ring is corrupt")
	// ErrClosed: the consumer has closed the ring, so nobody will read what is written.
	ErrClosed = errors.New("the ring is closed")
	// ErrTooLong: the message is longer than the ring's largest.
	ErrTooLong = errors.New("message too long")
)

// Ring is a ring in memory that its two ends share.
type Ring struct {
	memory         []byte
	bytes          []byte // the part that goes round
	tail, head     *atomic.Uint64
	consumerSleeps *atomic.Uint32
	producerSleeps *atomic.Uint32
	producerClosed *atomic.Uint32
	consumerClosed *atomic.Uint32
}

// Size is how many bytes of memory a ring of this capacity takes.
func Size(capacity int) int { return bytesAt + capacity }

// CheckCapacity says what is wrong with a capacity.
func CheckCapacity(n int) error {
	if n < LeastCapacity || n > GreatestCapacity || bits.OnesCount(uint(n)) != 1 {
		return fmt.Errorf("%d bytes: not a power of two from %d to %d", n, LeastCapacity, GreatestCapacity)
	}
	return nil
}

// Create makes an empty ring in memory, which must be zero and aligned to 8 bytes.
func Create(memory []byte, capacity int) (*Ring, error) {
	if err := CheckCapacity(capacity); err != nil {
		return nil, err
	}
	if err := fits(memory, Size(capacity)); err != nil {
		return nil, err
	}
	*at[uint32](memory, offVersion) = version
	*at[uint64](memory, offCapacity) = uint64(capacity)
	*at[uint32](memory, offTailAt) = tailAt
	*at[uint32](memory, offHeadAt) = headAt
	*at[uint32](memory, offBytesAt) = bytesAt
	at[atomic.Uint64](memory, offMagic).Store(magic)
	return Attach(memory)
}

// Attach finds the ring that is in memory. What it says of itself is checked and
// remembered, so that nothing written there later leads outside of the memory.
// Errors: [ErrNotReady], [ErrFormat].
func Attach(memory []byte) (*Ring, error) {
	if err := fits(memory, Size(LeastCapacity)); err != nil {
		return nil, err
	}
	switch m := at[atomic.Uint64](memory, offMagic).Load(); m {
	case magic:
	case 0:
		return nil, ErrNotReady
	default:
		return nil, fmt.Errorf("%w: magic %#x", ErrFormat, m)
	}
	if v := *at[uint32](memory, offVersion); v != version {
		return nil, fmt.Errorf("%w: version %d, this is for %d", ErrFormat, v, version)
	}
	capacity := *at[uint64](memory, offCapacity)
	if capacity > GreatestCapacity || CheckCapacity(int(capacity)) != nil || Size(int(capacity)) > len(memory) {
		return nil, fmt.Errorf("%w: a capacity of %d in %d bytes", ErrFormat, capacity, len(memory))
	}
	if *at[uint32](memory, offTailAt) != tailAt || *at[uint32](memory, offHeadAt) != headAt ||
		*at[uint32](memory, offBytesAt) != bytesAt {
		return nil, fmt.Errorf("%w: its parts are elsewhere", ErrFormat)
	}
	return &Ring{
		memory: memory, bytes: memory[bytesAt : bytesAt+int(capacity) : bytesAt+int(capacity)],
		tail: at[atomic.Uint64](memory, tailAt), head: at[atomic.Uint64](memory, headAt),
		consumerSleeps: at[atomic.Uint32](memory, consumerWord), producerSleeps: at[atomic.Uint32](memory, producerWord),
		producerClosed: at[atomic.Uint32](memory, producerDone), consumerClosed: at[atomic.Uint32](memory, consumerDone),
	}, nil
}

func fits(memory []byte, size int) error {
	if len(memory) < size || uintptr(unsafe.Pointer(unsafe.SliceData(memory)))%8 != 0 {
		return fmt.Errorf("%w: %d bytes, or not aligned", ErrFormat, len(memory))
	}
	return nil
}

// Capacity is the number of bytes that go round.
func (r *Ring) Capacity() int { return len(r.bytes) }

func (r *Ring) mask() uint64 { return uint64(len(r.bytes) - 1) }

// Largest is the length of the longest message: wherever the ring has got to, there is
// room for it once the consumer has read everything.
func (r *Ring) Largest() int { return len(r.bytes)/2 - recordHeader }

// Empty says whether everything that was published has been given back.
func (r *Ring) Empty() bool { return r.head.Load() == r.tail.Load() }

// at is a word of the memory, in which it lies as a whole.
func at[T uint32 | uint64 | atomic.Uint32 | atomic.Uint64](memory []byte, offset int) *T {
	var t T
	return (*T)(unsafe.Pointer(unsafe.SliceData(memory[offset : offset+int(unsafe.Sizeof(t))])))
}

// recordSize is what a message of n bytes takes.
func recordSize(n int) uint64 { return uint64(recordHeader+n+7) &^ 7 }

// header is what a record begins with.
func header(record []byte) (length, mark uint32) {
	return binary.NativeEndian.Uint32(record), binary.NativeEndian.Uint32(record[4:])
}

func putHeader(record []byte, length, mark uint32) {
	binary.NativeEndian.PutUint32(record, length)
	binary.NativeEndian.PutUint32(record[4:], mark)
}
