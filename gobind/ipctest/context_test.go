package ipctest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
)

func TestACallIsMadeUntilItHasSucceededOftenEnough(t *testing.T) {
	var order []int
	calls := 0
	gaveUp := ipctest.Persist(t, 100, func(ctx context.Context, done int) error {
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
	ipctest.Persist(seen, 100, func(context.Context, int) error { calls++; return unix.EIO })
	assert.True(t, seen.failed)
	assert.Equal(t, 1, calls)
}
