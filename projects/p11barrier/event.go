package p11barrier

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// event is what a process tells the one that started it, through a pipe that all of
// them share: a write of so few bytes is not mixed with others, so the pipe has the
// events in their order.
type event struct{ what, index, n int32 }

const (
	hasReached = iota // n: the round
	hasPassed         // n: the round
	hasEnded          // n: the wait status
	stop              // a signal says so
)

const eventSize = 12

func (e event) write(fd int) error {
	var raw [eventSize]byte
	for i, n := range []int32{e.what, e.index, e.n} {
		binary.NativeEndian.PutUint32(raw[4*i:], uint32(n))
	}
	for {
		n, err := unix.Write(fd, raw[:])
		if errors.Is(err, unix.EINTR) {
			continue
		} else if err == nil && n < eventSize {
			return fmt.Errorf("the pipe took %d bytes of an event", n)
		}
		return os.NewSyscallError("write", err)
	}
}

func readEvent(fd int) (event, error) {
	var raw [eventSize]byte
	for got := 0; got < eventSize; {
		n, err := unix.Read(fd, raw[got:])
		if errors.Is(err, unix.EINTR) {
			continue
		} else if err != nil || n == 0 {
			return event{}, errors.Join(errors.New("the pipe of events has ended"), err)
		}
		got += n
	}
	number := func(i int) int32 { return int32(binary.NativeEndian.Uint32(raw[4*i:])) }
	return event{number(0), number(1), number(2)}, nil
}
