// Package message makes the messages that measurements send, and tells whether one is
// what was sent: ref/message.h has the same for C.
//
// A message of 16 bytes or more has its sequence number as 64 bits little-endian in its
// first and in its last 8 bytes; a smaller one has the low 8 bits in its first and in its
// last byte, which for 1 byte is the same.
package message

import "encoding/binary"

// Stamp puts the sequence number into both ends of a message.
func Stamp(m []byte, seq uint64) {
	if len(m) < 16 {
		m[0], m[len(m)-1] = byte(seq), byte(seq)
		return
	}
	binary.LittleEndian.PutUint64(m, seq)
	binary.LittleEndian.PutUint64(m[len(m)-8:], seq)
}

// Stamped says that both ends have the sequence number.
func Stamped(m []byte, seq uint64) bool {
	if len(m) < 16 {
		return m[0] == byte(seq) && m[len(m)-1] == byte(seq)
	}
	return binary.LittleEndian.Uint64(m) == seq && binary.LittleEndian.Uint64(m[len(m)-8:]) == seq
}

// Fill makes a message of bytes that no other message of its size has.
func Fill(m []byte, seq uint64) {
	x := seq*0x9e3779b97f4a7c15 | 1
	for i := range m {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		m[i] = byte(x)
	}
	Stamp(m, seq)
}
