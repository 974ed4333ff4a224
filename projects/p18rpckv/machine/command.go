package machine

import (
	"encoding/binary"
	"errors"

	"unpipc/gobind/kvrpc"
)

// Kind is what a command does.
type Kind byte

const (
	Put            Kind = 1
	Delete         Kind = 2
	CompareAndSwap Kind = 3
)

// Command is a write, the payload of an entry.
type Command struct {
	Client     [16]byte
	Sequence   uint64
	Kind       Kind
	Key, Value []byte
	Expected   kvrpc.Value // of CompareAndSwap
}

var errCommand = errors.New("no command of the store")

// Encode is the command as bytes.
func (c *Command) Encode() []byte {
	b := append(append([]byte(nil), c.Client[:]...), byte(c.Kind))
	b = binary.BigEndian.AppendUint64(b, c.Sequence)
	present := byte(0)
	if c.Expected.Present {
		present = 1
	}
	b = append(b, present)
	for _, s := range [][]byte{c.Key, c.Value, c.Expected.Bytes} {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	return b
}

// Decode is the command that [Command.Encode] has encoded. Its slices are copies.
func Decode(b []byte) (Command, error) {
	var c Command
	if len(b) < 26 || b[25] > 1 {
		return c, errCommand
	}
	copy(c.Client[:], b)
	c.Kind, c.Sequence, c.Expected.Present = Kind(b[16]), binary.BigEndian.Uint64(b[17:]), b[25] == 1
	b = b[26:]
	for _, s := range []*[]byte{&c.Key, &c.Value, &c.Expected.Bytes} {
		if len(b) < 4 {
			return c, errCommand
		}
		n := uint64(binary.BigEndian.Uint32(b))
		if b = b[4:]; n > uint64(len(b)) {
			return c, errCommand
		}
		*s, b = append([]byte(nil), b[:n]...), b[n:]
	}
	if len(b) > 0 {
		return c, errCommand
	}
	return c, nil
}
