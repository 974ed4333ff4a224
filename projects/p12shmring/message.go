package p12shmring

import (
	"encoding/binary"
	"fmt"
)

// Messages of the programs have their number, from 1, in the first 8 bytes. The last 8
// are the number again, or, where everything is checked, a checksum of the rest. Both
// are little-endian.
const leastMessage = 16

// Sizes says how long the messages are.
type Sizes struct {
	Most int
	Vary bool // from 16 bytes to Most, differing from one message to the next
}

func (s Sizes) of(number uint64) int {
	if !s.Vary {
		return s.Most
	}
	return leastMessage + int(number*2654435761&0xffffffff)%(s.Most-leastMessage+1)
}

// stamp writes the number at both ends.
func stamp(m []byte, number uint64) {
	binary.LittleEndian.PutUint64(m, number)
	binary.LittleEndian.PutUint64(m[len(m)-8:], number)
}

func compare(m []byte, number uint64) error {
	if len(m) < leastMessage || binary.LittleEndian.Uint64(m) != number ||
		binary.LittleEndian.Uint64(m[len(m)-8:]) != number {
		return differs(m, number)
	}
	return nil
}

func differs(m []byte, number uint64) error {
	if len(m) < leastMessage {
		return fmt.Errorf("message %d: only %d bytes", number, len(m))
	}
	return fmt.Errorf("message %d: has the numbers %d and %d", number,
		binary.LittleEndian.Uint64(m), binary.LittleEndian.Uint64(m[len(m)-8:]))
}

// fill writes a whole message, every byte of which follows from its number.
func fill(m []byte, number uint64) {
	for i := range m {
		m[i] = byte(number*131 + uint64(i))
	}
	binary.LittleEndian.PutUint64(m, number)
	end := len(m) - 8
	binary.LittleEndian.PutUint64(m[end:], checksum(m[:end]))
}

func verify(m []byte, number uint64) error {
	if len(m) < leastMessage {
		return fmt.Errorf("message %d: only %d bytes", number, len(m))
	}
	if got := binary.LittleEndian.Uint64(m); got != number {
		return fmt.Errorf("message %d instead of %d", got, number)
	}
	end := len(m) - 8
	if sum, want := checksum(m[:end]), binary.LittleEndian.Uint64(m[end:]); sum != want {
		return fmt.Errorf("message %d: checksum %016x, the producer's is %016x", number, sum, want)
	}
	return nil
}

// checksum is FNV-1a of 64 bits.
func checksum(p []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range p {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// CheckSize says what is wrong with messages of this size in a ring of this capacity.
func CheckSize(size, capacity int) error {
	if size < leastMessage || size > capacity/2-recordHeader {
		return fmt.Errorf("%d bytes: not from %d to %d", size, leastMessage, capacity/2-recordHeader)
	}
	return nil
}
