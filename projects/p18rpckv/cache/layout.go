package cache

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/kvrpc"
	"unpipc/gobind/pthread"
)

// Sizes of an object, in bytes.
const (
	MinSize     = 512 << 10
	MaxSize     = 1 << 30
	DefaultSize = 8 << 20
)

const (
	version  = 1
	mutexAt  = 64 // byte of the object
	indexAt  = 4096
	ways     = 8 // slots of a bucket
	wordSize = 8

	// Words of the object that change.
	reservedAt = 16
	appliedAt  = 17
	asOfAt     = 18
	closedAt   = 19

	recordHead = 4 // words before a record's key
)

// A mutex has the 64 bytes before reserved.
const _ = uint(reservedAt*wordSize - mutexAt - pthread.MutexSize)

var magic = [8]byte([]byte("UNPCACHE"))

var mutexAttr = pthread.MutexAttr{Robust: true, Shared: true}

// ErrUnfit is of an object that is no cache, one of another layout, or a damaged one.
var ErrUnfit = errors.New("not a cache that this program can read")

// header is the object's beginning.
type header struct {
	magic              [8]byte
	version, mutexSize uint32
	size               uint64 // of the object
	buckets            uint64 // a power of two
	capacity           uint64 // of the arena, words
	pid                int32
	sum                uint32 // of all between magic and itself
}

const headerSize = int(unsafe.Sizeof(header{}))

// newHeader divides size bytes: a sixteenth is index, the rest arena.
func newHeader(size int) header {
	buckets := uint64(1)
	for buckets*2*ways*wordSize <= uint64(size)/16 {
		buckets *= 2
	}
	h := header{
		version: version, mutexSize: pthread.MutexSize, buckets: buckets, pid: int32(unix.Getpid()),
		capacity: uint64(size)/wordSize - indexAt/wordSize - buckets*ways,
	}
	h.size = h.wants()
	h.sum = h.checksum()
	return h
}

// wants is how many bytes an object of these parts has.
func (h *header) wants() uint64 { return indexAt + h.buckets*ways*wordSize + h.capacity*wordSize }

func (h *header) checksum() uint32 {
	return crc32.Checksum(bytesOfHeader(h)[unsafe.Offsetof(h.version):unsafe.Offsetof(h.sum)], castagnoli)
}

// fits says whether it is that of an object of so many bytes, whose parts lie within it.
func (h *header) fits(size int64) bool {
	return h.magic == magic && h.version == version && h.sum == h.checksum() && h.mutexSize == pthread.MutexSize &&
		size >= indexAt && size <= MaxSize && h.size == uint64(size) &&
		h.buckets > 0 && h.buckets <= MaxSize && h.buckets&(h.buckets-1) == 0 &&
		h.capacity >= longest && h.capacity <= MaxSize && h.wants() == h.size
}

// longest is how many words a record has at most.
const longest = recordHead + (kvrpc.MaxKey+kvrpc.MaxValue+wordSize-1)/wordSize

// parts of an object's memory, by the header that it was checked to have.
type parts struct {
	words, index, arena []uint64
}

func divide(memory []byte, h *header) parts {
	words := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(memory))), len(memory)/wordSize)
	from := uint64(indexAt / wordSize)
	return parts{words, words[from : from+h.buckets*ways], words[from+h.buckets*ways:][:h.capacity]}
}

// bucket is the first slot that a key with this hash may be in.
func (p *parts) bucket(hash uint64) uint64 { return hash % (uint64(len(p.index)) / ways) * ways }

// hashOf is FNV-1a.
func hashOf(key []byte) uint64 {
	hash := uint64(0xcbf29ce484222325)
	for _, b := range key {
		hash = (hash ^ uint64(b)) * 0x100000001b3
	}
	return hash
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// recordSum is the CRC of a record at a position: head is its first words, the CRC's own
// among them, and text its key and value.
func recordSum(position uint64, head []uint64, text []byte) uint64 {
	var bytes [4 * wordSize]byte
	for i, word := range [...]uint64{position, head[0], head[1], head[2]} {
		binary.NativeEndian.PutUint64(bytes[i*wordSize:], word)
	}
	return uint64(crc32.Update(crc32.Checksum(bytes[:], castagnoli), castagnoli, text))
}

// wordsFor is how many words hold so many bytes.
func wordsFor(bytes int) uint64 { return uint64(bytes+wordSize-1) / wordSize }

// bytesOf is the memory of words.
func bytesOf(words []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*wordSize)
}

func bytesOfHeader(h *header) []byte { return (*[headerSize]byte)(unsafe.Pointer(h))[:] }
