package p10sempool

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

func TestNoConnectionIsLentTwice(t *testing.T) {
	c := newPool(t, 3)
	var held [3]sync.Mutex
	var all sync.WaitGroup
	failed := make(chan string, 100)
	for i := range 8 {
		w := join(t, c.name, uint32(i))
		all.Go(func() {
			for range 300 {
				if err := w.Acquire(patient); err != nil {
					failed <- err.Error()
					return
				}
				if !held[w.slot].TryLock() {
					failed <- fmt.Sprintf("connection %d is lent twice", w.slot)
					return
				}
				w.used()
				held[w.slot].Unlock()
				if err := w.Release(); err != nil {
					failed <- err.Error()
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	for why := range failed {
		t.Error(why)
	}
	assert.NoError(t, c.verify(8*300))
	assert.EqualValues(t, 3, c.free)
	assert.Equal(t, 3, value(t, c.pool))
	assert.Zero(t, c.waiting)
}

func TestWhoHasATokenTooManyWaitsAgain(t *testing.T) {
	c := newPool(t, 1)
	first, second := join(t, c.name, 1), join(t, c.name, 2)
	require.NoError(t, first.Acquire(patient))
	require.NoError(t, c.available.Post())
	err := second.Acquire(10 * time.Millisecond)
	var timeout *TimeoutError
	require.ErrorAs(t, err, &timeout)
	assert.Contains(t, err.Error(), "1 of 1 are lent, one to worker 1")
	require.NoError(t, first.Release())
	require.NoError(t, second.Acquire(patient))
	assert.Zero(t, c.free)
}

func TestOvertakingIsCounted(t *testing.T) {
	c := newPool(t, 1)
	slow, quick := join(t, c.name, 1), join(t, c.name, 2)
	require.NoError(t, slow.beginToWait())
	require.NoError(t, quick.Acquire(patient))
	assert.EqualValues(t, 1, c.counters.Overtaken)
	require.NoError(t, quick.Release())
	require.NoError(t, c.available.TryWait())
	remaining, err := slow.take()
	require.NoError(t, err)
	assert.Zero(t, remaining)
	assert.EqualValues(t, 1, c.counters.Overtaken, "nobody else waited")
	assert.Positive(t, c.counters.LongestWait)
}

func TestTheTableIsFullOnce(t *testing.T) {
	c := newPool(t, 1)
	first := join(t, c.name, 0)
	for i := range c.table {
		if i != first.index {
			c.table[i] = entry{state: idle, pid: int32(os.Getpid())}
		}
	}
	_, err := Join(c.name, 1, nil)
	assert.ErrorIs(t, err, ErrFull)
	require.NoError(t, first.Leave(true))
	require.NoError(t, first.Leave(true), "it has left already")
	assert.EqualValues(t, 1, c.counters.Completed)
	join(t, c.name, 2)
}

func TestAManagerThatEndsTellsWhoWaits(t *testing.T) {
	c := newPool(t, 1)
	first, second := join(t, c.name, 1), join(t, c.name, 2)
	require.NoError(t, first.Acquire(patient))
	waited := make(chan error)
	go func() { waited <- second.Acquire(patient) }()
	ipctest.Eventually(t, func() bool {
		require.NoError(t, c.lock())
		defer c.unlock()
		return c.waiting == 1
	}, "it waits")
	require.NoError(t, c.close())
	assert.ErrorIs(t, <-waited, ErrClosed)
	require.NoError(t, first.Release(), "who holds may go on")
	_, err := Join(c.name, 3, nil)
	assert.ErrorIs(t, err, os.ErrNotExist)
}
