package l03memsort

import (
	"encoding/binary"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/mmap"
)

// MemorySize is the size of the memory in bytes, flags included.
const MemorySize = 65536

// The flags, each a byte, by their place in the memory.
const (
	isReadable = 0
	isWritable = 1
	flagsSize  = 2
)

// errGone: the other side has ended, and it is not this one's turn.
var errGone = errors.New("the other side of the memory has ended")

// channel is one side's view of the memory. Go has no atomic operations on bytes, so it
// does them on the word that begins with the two flags, in ways that leave its other two
// bytes as they are, and looks at none but the flags: the other side may be writing them.
type channel struct {
	word  *atomic.Uint32
	bytes []byte
}

func newChannel(memory []byte) (*channel, error) {
	word, err := mmap.View[atomic.Uint32](memory, 0)
	if err != nil {
		return nil, err
	}
	return &channel{word, memory[flagsSize:]}, nil
}

// flag is the bits of a flag in the word, which are 1 when it is set.
func flag(place int) uint32 {
	var word [4]byte
	word[place] = 1
	return binary.NativeEndian.Uint32(word[:])
}

// pass makes it the other side's turn. Go's atomic operations have release order, and more.
func (c *channel) pass(mine, theirs int) {
	c.word.And(^(flag(mine) * 0xff))
	c.word.Or(flag(theirs))
}

const (
	busyLooks     = 100  // before the processor is given away
	yieldingLooks = 3000 // before it sleeps
	shortestSleep = 20 * time.Microsecond
	longestSleep  = time.Millisecond
)

// await waits for this side's turn. Error: errGone.
func (c *channel) await(mine int, gone func() bool) error {
	mask, sleep := flag(mine)*0xff, shortestSleep
	for looks := 0; c.word.Load()&mask == 0; looks++ {
		switch {
		case looks < busyLooks:
		case looks < yieldingLooks:
			// To those in this process who wait for other workers, and to other processes.
			runtime.Gosched()
			_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
		default:
			// Asked before the flag is looked at for the last time: who has ended had
			// perhaps set it before.
			if gone() && c.word.Load()&mask == 0 {
				return errGone
			}
			time.Sleep(sleep)
			sleep = min(2*sleep, longestSleep)
		}
	}
	return nil
}

// send sends p, by turns.
func (c *channel) send(p []byte, gone func() bool) error {
	for {
		if err := c.await(isWritable, gone); err != nil {
			return err
		}
		n := copy(c.bytes, p)
		c.pass(isWritable, isReadable)
		if p = p[n:]; len(p) == 0 {
			return nil
		}
	}
}

// receive fills p, by turns.
func (c *channel) receive(p []byte, gone func() bool) error {
	for {
		if err := c.await(isReadable, gone); err != nil {
			return err
		}
		n := copy(p, c.bytes)
		c.pass(isReadable, isWritable)
		if p = p[n:]; len(p) == 0 {
			return nil
		}
	}
}
