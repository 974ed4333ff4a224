package transfer

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"unpipc/projects/internal/message"
)

func check(m []byte, seq uint64) error {
	if !message.Stamped(m, seq) {
		return fmt.Errorf("message %d: wrong sequence number", seq)
	}
	return nil
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
