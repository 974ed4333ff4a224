package p12shmring

import (
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/futex"
	"unpipc/gobind/ordered"
)

// Patience is how long a side sleeps before it looks whether it is still worth it.
const Patience = 100 * time.Millisecond

// A side that has nothing to do looks again so often before it sleeps, each time after so
// many pauses: some microseconds in all, about what sleeping and being woken costs. The
// pauses leave the other side the cache line of its index for more than one message.
const (
	looks  = 10
	pauses = 32
	// Who has looked in vain sleeps at once the next time, but for one in so many.
	probe = 32
)

const (
	awake  = 0
	asleep = 1
)

// waiter is how one side waits.
type waiter struct {
	word  *atomic.Uint32 // tells the other side that this one sleeps
	waits uint32
	vain  bool // looking was in vain the last time
}

func newWaiter(word *atomic.Uint32) waiter { return waiter{word: word} }

// await waits until ready says so. check is called now and then while it sleeps.
//
// Where both sides share one CPU, all looking is in vain. How many CPUs this process may
// use does not tell that: two processes may be kept to one each.
func (w *waiter) await(ready func() bool, check func() error) error {
	word := w.word
	for {
		if ready() {
			return nil
		}
		if w.waits++; !w.vain || w.waits%probe == 0 {
			for range looks {
				for range pauses {
					ordered.Pause()
				}
				if ready() {
					w.vain = false
					return nil
				}
			}
			w.vain = true
		}
		word.Store(asleep)
		// Only now it counts: who publishes after this look sees that this side sleeps.
		if ready() {
			word.Store(awake)
			return nil
		}
		err := futex.WaitFor(word, asleep, Patience)
		word.Store(awake)
		switch {
		case err == nil, errors.Is(err, unix.EAGAIN):
		case !errors.Is(err, unix.ETIMEDOUT):
			return err
		default:
			// The last look is after the check: who is gone may have published before.
			err := check()
			if ready() {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
}

// wake wakes the other side if it sleeps. What it waits for was stored before, by an
// atomic.Store, so that this load cannot be made before that.
func wake(word *atomic.Uint32) {
	if word.Load() == asleep {
		word.Store(awake)
		// Cannot fail: the word is mapped and aligned.
		_, _ = futex.Wake(word, 1)
	}
}

func noCheck() error { return nil }
