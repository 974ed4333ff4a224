package ipctest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
)

func TestACallIsMadeUntilItHasSucceededOftenEnough(t *testing.T) {
	var order []uint64
	calls := 0
	gaveUp := ipctest.Persist(t, t.Context(), 100, func(ctx context.Context, done uint64) error {
		if calls++; ctx.Err() != nil {
			return context.Cause(ctx)
		}
		order = append(order, done)
		return nil
	})
	assert.Len(t, order, 100)
	assert.IsIncreasing(t, order)
	assert.Equal(t, calls, len(order)+gaveUp)
	assert.Positive(t, gaveUp, "a quarter have ended before")

	seen := &judgement{TB: t}
	calls = 0
	ipctest.Persist(seen, t.Context(), 100, func(context.Context, uint64) error { calls++; return unix.EIO })
	assert.True(t, seen.failed)
	assert.Equal(t, 1, calls)
}

// channel passes messages on, but in place of some of them those that instead has.
func channel(instead map[uint64][]uint64) ipctest.Channel {
	numbers := make(chan uint64, 1000)
	return ipctest.Channel{
		Send: func(ctx context.Context, number uint64) error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			others, ok := instead[number]
			if !ok {
				others = []uint64{number}
			}
			for _, other := range others {
				numbers <- other
			}
			return nil
		},
		Receive: func(ctx context.Context) (uint64, error) {
			select {
			case number := <-numbers:
				return number, nil
			case <-ctx.Done():
				return 0, context.Cause(ctx)
			}
		},
	}
}

func TestMessagesThatAreLostDoubledOrOvertakenAreNoticed(t *testing.T) {
	for what, instead := range map[string]map[uint64][]uint64{
		"none": {}, "lost": {3: {}}, "doubled": {3: {3, 3}}, "overtaken": {3: {4}, 4: {3}},
	} {
		failed := judge(t, func(t testing.TB) { ipctest.AssertInOrder(t, channel(instead), 500) })
		assert.Equal(t, what != "none", failed, what)
		if what == "lost" {
			continue // it is waited for
		}
		failed = judge(t, func(t testing.TB) { ipctest.AssertShared(t, channel(instead), 500, 5) })
		assert.Equal(t, what == "doubled", failed, what)
	}
}
