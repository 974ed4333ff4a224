package sysvmq

import (
	"encoding/binary"
	"sync"
)

// header is the size of the type in front of the data: C's long.
const header = 8

// Message is the memory that msgsnd and msgrcv work on, struct msgbuf: a type and room
// for data. It can be used again and again without copying or allocating, by one
// goroutine at a time. [NewMessage] makes one; the zero Message has no memory.
type Message struct {
	buf []byte
}

// NewMessage makes a message with room for the given bytes of data.
func NewMessage(room int) *Message { return &Message{make([]byte, header+room)} }

// Type is the message's type.
func (m *Message) Type() int64 { return int64(binary.NativeEndian.Uint64(m.buf)) }

// SetType sets the type, which must be positive to be sent.
func (m *Message) SetType(t int64) { binary.NativeEndian.PutUint64(m.buf, uint64(t)) }

// Data is all the room for data.
func (m *Message) Data() []byte { return m.buf[header:] }

// spare has messages for the calls that take data instead of one.
var spare = sync.Pool{New: func() any { return new(Message) }}

func borrow(room int) *Message {
	m := spare.Get().(*Message)
	if cap(m.buf) < header+room {
		m.buf = make([]byte, header+room)
	}
	m.buf = m.buf[:header+room]
	return m
}
