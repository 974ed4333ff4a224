package authdes

import (
	"encoding/binary"
	"errors"
	"time"
)

// Flavor is the number of AUTH_DES in a message.
const Flavor = 3

// MaxName is the most bytes in a netname (MAXNETNAMELEN).
const MaxName = 255

const (
	fullName = 0
	nickname = 1
)

// credential is the body of a credential: a full name, or a nickname. The keys, window
// and nickname are as they are on the wire, sealed.
//
//	0  0 = full name               0  1 = nickname
//	4  length of the name          4  nickname
//	8  name, filled up to 4
//	   sealed conversation key, 8
//	   sealed window, 4
type credential struct {
	name     string // empty: a nickname
	key      DESKey
	window   [4]byte
	nickname uint32
}

var errMalformed = errors.New("malformed credential")

func (c credential) bytes() []byte {
	be := binary.BigEndian
	if c.name == "" {
		return be.AppendUint32(be.AppendUint32(nil, nickname), c.nickname)
	}
	b := be.AppendUint32(be.AppendUint32(nil, fullName), uint32(len(c.name)))
	b = append(b, c.name...)
	b = append(b, make([]byte, padding(len(c.name)))...)
	b = append(b, c.key[:]...)
	return append(b, c.window[:]...)
}

func parseCredential(b []byte) (c credential, err error) {
	if len(b) < 8 {
		return c, errMalformed
	}
	second := binary.BigEndian.Uint32(b[4:])
	switch binary.BigEndian.Uint32(b) {
	case nickname:
		if len(b) != 8 {
			return c, errMalformed
		}
		c.nickname = second
	case fullName:
		b = b[8:]
		n := int(second)
		if second == 0 || second > MaxName || len(b) != n+padding(n)+12 {
			return c, errMalformed
		}
		c.name = string(b[:n])
		for b = b[n:]; len(b) > 12; b = b[1:] {
			if b[0] != 0 {
				return c, errMalformed
			}
		}
		copy(c.key[:], b)
		copy(c.window[:], b[8:])
	default:
		return c, errMalformed
	}
	return c, nil
}

func padding(n int) int { return -n & 3 }

// verifier is the body of a verifier: the sealed time, and of a call the sealed window
// less 1 (0 with a nickname), of a reply the nickname.
type verifier struct {
	stamp  DESKey
	second [4]byte
}

const verifierBytes = 12

func (v verifier) bytes() []byte { return append(v.stamp[:], v.second[:]...) }

func parseVerifier(b []byte) (v verifier, err error) {
	if len(b) != verifierBytes {
		return v, errMalformed
	}
	copy(v.stamp[:], b)
	copy(v.second[:], b[8:])
	return v, nil
}

// stamp is a time as it is sealed: seconds and microseconds.
type stamp struct{ sec, usec uint32 }

func stampOf(t time.Time) stamp {
	return stamp{uint32(t.Unix()), uint32(t.Nanosecond() / 1000)}
}

func (s stamp) time() time.Time { return time.Unix(int64(s.sec), int64(s.usec)*1000) }

func (s stamp) block() DESKey { return twoWords(s.sec, s.usec) }

func stampIn(b DESKey) stamp {
	return stamp{binary.BigEndian.Uint32(b[:]), binary.BigEndian.Uint32(b[4:])}
}

func (s stamp) valid() bool { return s.usec < 1e6 }

func (s stamp) after(other stamp) bool {
	return s.sec > other.sec || s.sec == other.sec && s.usec > other.usec
}

// next is the shortest time later.
func (s stamp) next() stamp {
	if s.usec++; s.usec == 1e6 {
		return stamp{s.sec + 1, 0}
	}
	return s
}

func twoWords(a, b uint32) (block DESKey) {
	binary.BigEndian.PutUint32(block[:], a)
	binary.BigEndian.PutUint32(block[4:], b)
	return block
}
