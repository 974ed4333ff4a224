package ipctest

import (
	"context"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Persist makes a call with contexts that end at random moments, until it has succeeded
// so many times; done is how often it has until now. A call that a context has ended must
// have done nothing; gaveUp is how many there were.
func Persist(t testing.TB, times int, call func(ctx context.Context, done int) error) (gaveUp int) {
	t.Helper()
	for done := 0; done < times; {
		ctx, cancel := impatient(t.Context())
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
