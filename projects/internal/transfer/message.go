package transfer

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// stamp puts the sequence number into both ends of a message.
func stamp(m []byte, seq uint64) {
	if len(m) < 16 {
		m[0], m[len(m)-1] = byte(seq), byte(seq)
		return
	}
	binary.LittleEndian.PutUint64(m, seq)
	binary.LittleEndian.PutUint64(m[len(m)-8:], seq)
}

// stamped says that both ends have the sequence number.
func stamped(m []byte, seq uint64) bool {
	if len(m) < 16 {
		return m[0] == byte(seq) && m[len(m)-1] == byte(seq)
	}
	return binary.LittleEndian.Uint64(m) == seq && binary.LittleEndian.Uint64(m[len(m)-8:]) == seq
}

func check(m []byte, seq uint64) error {
	if !stamped(m, seq) {
		return fmt.Errorf("message %d: wrong sequence number", seq)
	}
	return nil
}

// fill makes a message of bytes that no other message of its size has.
func fill(m []byte, seq uint64) {
	x := seq*0x9e3779b97f4a7c15 | 1
	for i := range m {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		m[i] = byte(x)
	}
	stamp(m, seq)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sumSize = 4

// sum is the CRC-32C of m as it is sent.
func sum(m []byte) []byte {
	return binary.LittleEndian.AppendUint32(nil, crc32.Checksum(m, castagnoli))
}

func compare(m, sent []byte, which string, seq uint64) error {
	ours := crc32.Checksum(m, castagnoli)
	if len(sent) != sumSize || binary.LittleEndian.Uint32(sent) != ours {
		return fmt.Errorf("%s message %d: CRC-32C %08x, the sender's is %x (little-endian)", which, seq, ours, sent)
	}
	return nil
}
