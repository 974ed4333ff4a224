// Package l09event is the lecture's queue of three sources from which consumers take one
// message of each at once. Beside the queue there is a set of four semaphores:
//
//	0, 1, 2   how many messages of source 1, 2, 3 are in the queue
//	3         1 while nobody takes messages
//
// A source sends its message and then adds 1 to its semaphore. A consumer takes 1 from
// all four in one operation, which waits until it can have them all; then what it is
// about to receive is in the queue, and nobody else will take it.
//
// The lecture gives every operation SEM_UNDO. That is right for the fourth semaphore: a
// consumer that dies does not lock the others out. For the other three it is wrong: a
// source that ends would take its counts back and leave the messages, a consumer would
// give counts back for messages that it has taken. Here these have no SEM_UNDO.
//
// A consumer killed between taking the counts and the messages leaves the messages
// behind: from then on each triple is one older than it would have been.
package l09event

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
	"unpipc/gobind/sysvsem"
)

// Sources is how many there are.
const Sources = 3

const mutex = Sources // the number of the semaphore

// MaxLine is how long a line may be, its end included.
const MaxLine = 512 - typeBytes - sizeBytes

const (
	typeBytes = 8 // of a long
	sizeBytes = 4 // of an int
)

// Scope is that of the marks of queue and semaphores.
const Scope = "lecture-9"

// Sems makes the semaphores, or finds them.
func Sems(ctx context.Context, key sysvsem.Key) (set *sysvsem.Set, made bool, err error) {
	return sysvsem.Establish(ctx, key, 0o600, 0, 0, 0, 1)
}

// Send sends a line and returns the size of the message, its type included.
func Send(ctx context.Context, q *sysvmq.Queue, source int, line string) (int, error) {
	body := append(binary.NativeEndian.AppendUint32(nil, uint32(len(line))), line...)
	return typeBytes + len(body), q.SendContext(ctx, int64(source), body, 0)
}

// Count counts a message that was sent.
func Count(set *sysvsem.Set, source int) error {
	return set.Do(sysvsem.Op{Sem: uint16(source - 1), Add: 1})
}

// Event is a message as it was received.
type Event struct {
	Bytes int // of the message, its type included
	Size  int // of its text, as the source says
	Text  []byte
}

// Take waits for one message of each source and takes them; then it calls print before
// others may take any.
func Take(ctx context.Context, set *sysvsem.Set, q *sysvmq.Queue, print func([Sources]Event) error) error {
	err := set.DoContext(ctx, sysvsem.Op{Sem: 0, Add: -1}, sysvsem.Op{Sem: 1, Add: -1}, sysvsem.Op{Sem: 2, Add: -1},
		sysvsem.Op{Sem: mutex, Add: -1, Flags: sysvsem.Undo})
	if err != nil {
		return err
	}
	var events [Sources]Event
	for i := range events {
		if events[i], err = receive(ctx, q, i+1); err != nil {
			return err
		}
	}
	err = print(events)
	return errors.Join(err, set.Do(sysvsem.Op{Sem: mutex, Add: 1, Flags: sysvsem.Undo}))
}

func receive(ctx context.Context, q *sysvmq.Queue, source int) (Event, error) {
	var body [sizeBytes + MaxLine]byte
	n, _, err := q.ReceiveContext(ctx, body[:], int64(source), 0)
	if err != nil {
		return Event{}, err
	}
	size := 0
	if n >= sizeBytes {
		size = int(int32(binary.NativeEndian.Uint32(body[:])))
	}
	if size < 1 || size > n-sizeBytes {
		return Event{}, fmt.Errorf("a message of type %d and %d bytes is none of event_source's", source, n)
	}
	return Event{typeBytes + n, size, body[sizeBytes : sizeBytes+size]}, nil
}

// Removed says whether an error is that the set or the queue was removed.
func Removed(err error) bool { return errors.Is(err, unix.EIDRM) || errors.Is(err, unix.EINVAL) }
