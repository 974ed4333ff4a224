// Package l07msgsend is the lecture's message queue with types: a client sends messages
// of the types 100, 50 and 60, and a server receives them in another order, because it
// asks by type.
//
// A message is a type (a long, which the kernel reads), a size (an int) and so many bytes
// of data. What is printed as sent and received counts all three, as the lecture does.
// The lecture's programs pass that count to msgsnd too, which adds the type by itself:
// they send 8 bytes of whatever lies behind the message as well.
package l07msgsend

import (
	"context"
	"encoding/binary"
	"fmt"

	"unpipc/gobind/sysvmq"
)

const (
	typeBytes = 8 // of a long
	sizeBytes = 4 // of an int
	room      = 512
)

// Send sends one message and returns its size, type included.
func Send(ctx context.Context, q *sysvmq.Queue, mtype int64, text string) (int, error) {
	body := binary.NativeEndian.AppendUint32(nil, uint32(len(text)+1))
	body = append(append(body, text...), 0)
	return typeBytes + len(body), q.SendContext(ctx, mtype, body, 0)
}

// Receive takes a message chosen by type. n is its size, type included; size is that of
// the data as the sender tells it, with the NUL that ends text.
func Receive(ctx context.Context, q *sysvmq.Queue, want int64, flags int) (n int, mtype int64, size int, text string, err error) {
	var body [room]byte
	n, mtype, err = q.ReceiveContext(ctx, body[:], want, flags)
	if err != nil {
		return 0, 0, 0, "", err
	}
	if n >= sizeBytes {
		size = int(int32(binary.NativeEndian.Uint32(body[:])))
	}
	if n < sizeBytes || size < 1 || size > n-sizeBytes || body[sizeBytes+size-1] != 0 {
		return 0, 0, 0, "", fmt.Errorf("a message of type %d and %d bytes is none of msgsend_client's", mtype, n)
	}
	return typeBytes + n, mtype, size, string(body[sizeBytes : sizeBytes+size-1]), nil
}
