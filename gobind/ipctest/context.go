package ipctest

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Channel sends and receives messages that are numbers. A call that its context has ended
// must have done nothing.
type Channel struct {
	Send    func(ctx context.Context, number uint64) error
	Receive func(ctx context.Context) (number uint64, err error)
}

// AssertInOrder sends so many messages while it receives them, with contexts that end at
// random, and asserts that each arrives once, and in the order in which it was sent.
func AssertInOrder(t testing.TB, c Channel, count int) {
	t.Helper()
	all, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop() // a sender whose receiver has failed
	var senders int
	running.Go(func() { senders = persist(t, all, count, c.Send) })
	receivers := persist(t, all, count, func(ctx context.Context, want uint64) error {
		number, err := c.Receive(ctx)
		if err == nil {
			require.Equal(t, want, number)
		}
		return err
	})
	running.Wait()
	t.Logf("%d of the senders' contexts and %d of the receivers' ended first", senders, receivers)
}

// AssertShared sends so many messages to receivers who give up after random times, and
// asserts that each message arrives once.
func AssertShared(t testing.TB, c Channel, count, receivers int) {
	t.Helper()
	all, stop := context.WithCancel(t.Context())
	defer stop()
	var mu sync.Mutex
	got := map[uint64]int{}
	var running sync.WaitGroup
	for range receivers {
		running.Go(func() {
			for all.Err() == nil {
				ctx, cancel := context.WithTimeout(all, time.Duration(rand.N(2000))*time.Microsecond)
				number, err := c.Receive(ctx)
				cancel()
				if err == nil {
					mu.Lock()
					got[number]++
					if len(got) == count {
						stop()
					}
					mu.Unlock()
				}
			}
		})
	}
	for number := range uint64(count) {
		require.NoError(t, c.Send(t.Context(), number))
	}
	running.Wait()
	require.Len(t, got, count)
	for number, times := range got {
		require.Equal(t, 1, times, "message %d", number)
	}
}

// persist makes a call with contexts that end at random moments, until it has succeeded
// so many times or all ends; done is how often it has until now. A call that a context has
// ended must have done nothing; gaveUp is how many there were.
func persist(t testing.TB, all context.Context, times int, call func(ctx context.Context, done uint64) error) (gaveUp int) {
	t.Helper()
	for done := uint64(0); done < uint64(times) && all.Err() == nil; {
		ctx, cancel := impatient(all)
		err := call(ctx, done)
		cancel()
		if err == nil {
			done++
		} else if !assert.Equal(t, context.Canceled, err) {
			break
		} else {
			gaveUp++
		}
	}
	return gaveUp
}

// impatient is a context that has ended, ends at once, ends soon, or does not end, as
// chance will have it.
func impatient(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	switch rand.N(4) {
	case 0:
		cancel()
	case 1:
		go cancel()
	case 2:
		spins := rand.N(200)
		go func() {
			for range spins {
				runtime.Gosched()
			}
			cancel()
		}()
	}
	return ctx, cancel
}
