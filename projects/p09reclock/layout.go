package p09reclock

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"
)

// MaxLength is the greatest length of a key and of a value, in bytes.
const MaxLength = 1 << 20

// Buckets is the number of buckets: each has a lock, and one chain of records or more.
const Buckets = 1 << bucketBits

const (
	bucketBits = 12

	magic      = "unpkvs01"
	headerSize = 4096
	headerUsed = 60 // with the checksum

	recordHeader = 32
	align        = 32 // of records: no header is cut by the end of a disk sector
	sector       = 512

	linkAt    = 24 // the link to the next record, in a record's header
	tombstone = 1 << 31

	// posBits are the bits of a link that say where; the others are a check.
	posBits = 48
	posMask = 1<<posBits - 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	// ErrForeign is in errors about files that are no store.
	ErrForeign = errors.New("not a store of kvstore")
	// ErrDamaged is in errors about stores whose content is not what was written.
	ErrDamaged = errors.New("damaged")
)

// header is the beginning of a file, which is never changed.
type header struct {
	seed uint64 // of the hash; stays the same when the store is rewritten
	salt uint64 // of the checks; another one for each file
	bits uint32 // the table has 1<<bits chains
	base uint64 // where the records end that were there when the file was made
	size uint64 // of the file when it was made; it only grows
}

func (h *header) start() uint64 { return headerSize + 8<<h.bits }

func (h *header) encode() []byte {
	b := make([]byte, headerSize)
	copy(b, magic)
	binary.LittleEndian.PutUint64(b[8:], h.seed)
	binary.LittleEndian.PutUint64(b[16:], h.salt)
	binary.LittleEndian.PutUint32(b[24:], h.bits)
	binary.LittleEndian.PutUint64(b[32:], h.base)
	binary.LittleEndian.PutUint64(b[40:], h.size)
	binary.LittleEndian.PutUint32(b[headerUsed-4:], crc32.Checksum(b[:headerUsed-4], castagnoli))
	return b
}

// decodeHeader reads the first bytes of a file that is size bytes long.
func decodeHeader(b []byte, size int64) (h header, err error) {
	if len(b) < len(magic) || string(b[:len(magic)]) != magic {
		return h, ErrForeign
	}
	if len(b) < headerUsed {
		return h, fmt.Errorf("%w: cut off in the header", ErrDamaged)
	}
	h.seed = binary.LittleEndian.Uint64(b[8:])
	h.salt = binary.LittleEndian.Uint64(b[16:])
	h.bits = binary.LittleEndian.Uint32(b[24:])
	h.base = binary.LittleEndian.Uint64(b[32:])
	h.size = binary.LittleEndian.Uint64(b[40:])
	switch {
	case binary.LittleEndian.Uint32(b[headerUsed-4:]) != crc32.Checksum(b[:headerUsed-4], castagnoli):
		return h, fmt.Errorf("%w: the header's checksum is wrong", ErrDamaged)
	case h.bits < bucketBits || h.bits > 40 || h.base < h.start() || h.size < h.base || h.size > posMask:
		return h, fmt.Errorf("%w: the header makes no sense", ErrDamaged)
	case uint64(size) < h.size:
		return h, fmt.Errorf("%w: cut off, %d bytes of at least %d", ErrDamaged, size, h.size)
	}
	return h, nil
}

// hash is FNV-1a, started with the seed, and mixed at the end: its upper bits choose
// the bucket.
func (h *header) hash(key []byte) uint64 {
	x := 0xcbf29ce484222325 ^ h.seed
	for _, c := range key {
		x = (x ^ uint64(c)) * 0x100000001b3
	}
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	return x ^ x>>32
}

func bucketOf(hash uint64) uint64 { return hash >> (64 - bucketBits) }

// slotAt is where the chain of a hash begins.
func (h *header) slotAt(hash uint64) uint64 { return headerSize + hash>>(64-h.bits)*8 }

// link is the word that stands at an offset of the file and points to pos; 0 is the end
// of a chain. Anything else in the place, a zero or another place's link, is no link.
func (h *header) link(at, pos uint64) uint64 {
	x := (h.salt ^ at) * 0x9e3779b97f4a7c15
	x = (bits.RotateLeft64(x, 31) ^ pos) * 0xff51afd7ed558ccd
	return x&^posMask | pos
}

// record is what the header of a record says.
type record struct {
	pos       uint64
	tombstone bool // the key was deleted
	klen      uint64
	vlen      uint64
	hash      uint64
	next      uint64 // the word, not the place
	sum       uint32 // of key and value
}

func (r *record) size() uint64 { return recordSize(r.klen, r.vlen) }

func recordSize(klen, vlen uint64) uint64 {
	return (recordHeader + klen + vlen + align - 1) &^ (align - 1)
}

// headerSum is the checksum of a record's header. The next link, which changes, is not in it.
func (h *header) headerSum(pos uint64, b []byte) uint32 {
	var place [16]byte
	binary.LittleEndian.PutUint64(place[:], h.salt)
	binary.LittleEndian.PutUint64(place[8:], pos)
	return crc32.Update(crc32.Checksum(place[:], castagnoli), castagnoli, b[4:linkAt])
}

// encodeRecord puts a record into b, which is as long as its size and zero.
func (h *header) encodeRecord(b []byte, r *record, key, value []byte) {
	klen := uint32(len(key))
	if r.tombstone {
		klen |= tombstone
	}
	n := copy(b[recordHeader:], key)
	n += copy(b[recordHeader+n:], value)
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[recordHeader:recordHeader+n], castagnoli))
	binary.LittleEndian.PutUint32(b[8:], klen)
	binary.LittleEndian.PutUint32(b[12:], uint32(len(value)))
	binary.LittleEndian.PutUint64(b[16:], r.hash)
	binary.LittleEndian.PutUint64(b[linkAt:], r.next)
	binary.LittleEndian.PutUint32(b, h.headerSum(r.pos, b))
}

// decode reads the header of the record at pos; b is the file from there on.
func (h *header) decode(b []byte, pos uint64) (r record, ok bool) {
	if len(b) < recordHeader {
		return r, false
	}
	r = readRecord(b, pos)
	ok = binary.LittleEndian.Uint32(b) == h.headerSum(pos, b) && r.klen <= MaxLength && r.vlen <= MaxLength
	return r, ok
}

// readRecord is what the header says, right or wrong.
func readRecord(b []byte, pos uint64) record {
	klen := binary.LittleEndian.Uint32(b[8:])
	return record{
		pos:       pos,
		tombstone: klen&tombstone != 0,
		klen:      uint64(klen &^ tombstone),
		vlen:      uint64(binary.LittleEndian.Uint32(b[12:])),
		hash:      binary.LittleEndian.Uint64(b[16:]),
		next:      binary.LittleEndian.Uint64(b[linkAt:]),
		sum:       binary.LittleEndian.Uint32(b[4:]),
	}
}

// content is a record's key and value, if they are what was written. b begins with its
// header.
func (r *record) content(b []byte) (key, value []byte, ok bool) {
	if r.size() > uint64(len(b)) {
		return nil, nil, false
	}
	all := b[recordHeader : recordHeader+r.klen+r.vlen]
	return all[:r.klen], all[r.klen:], crc32.Checksum(all, castagnoli) == r.sum
}

// unfinished says that a record in b, which begins at pos, looks like one whose writing
// was cut short: the file was zero before, and one sector of the record still is.
func unfinished(b []byte, pos uint64) bool {
	for len(b) > 0 {
		piece := min(sector-pos%sector, uint64(len(b)))
		if isZero(b[:piece]) {
			return true
		}
		b, pos = b[piece:], pos+piece
	}
	return false
}

var zeros [1 << 16]byte

func isZero(b []byte) bool {
	for len(b) > 0 {
		n := min(len(b), len(zeros))
		if !bytes.Equal(b[:n], zeros[:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}
