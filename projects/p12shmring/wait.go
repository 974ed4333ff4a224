package p12shmring

import (
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/futex"
	"unpipc/projects/internal/ordered"
)

// Patience is how long a side sleeps before it looks whether it is still worth it.
const Patience = 100 * time.Millisecond

// spins is how often a side looks again before it sleeps: a few microseconds, about what
// sleeping and being woken costs. With one CPU the other side cannot do anything
// meanwhile.
var spins = func() int {
	if runtime.NumCPU() == 1 {
		return 1
	}
	return 50
}()

const (
	awake  = 0
	asleep = 1
)

// await waits until ready says so. word tells the other side that this one sleeps; check
// is called now and then while it does.
func await(word *atomic.Uint32, ready func() bool, check func() error) error {
	for {
		for range spins {
			if ready() {
				return nil
			}
			ordered.Pause()
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
