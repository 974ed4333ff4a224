package posixmq_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

// Contexts end at random while messages flow: each message must arrive once, and in
// the order in which it was sent.
func TestNothingIsLostOrDoubledByEndingContexts(t *testing.T) {
	q := newQueue(t, 3, 8, 0)
	endAtRandom(t, q, 3000)
	require.NoError(t, q.Alone(), "without its second descriptor")
	endAtRandom(t, q, 3000)
}

func endAtRandom(t *testing.T, q *posixmq.Queue, count int) {
	var running sync.WaitGroup
	var senders, receivers int
	running.Go(func() {
		senders = ipctest.Persist(t, count, func(ctx context.Context, i int) error {
			return q.SendContext(ctx, numbered(i), 0)
		})
	})
	buf := make([]byte, 8)
	receivers = ipctest.Persist(t, count, func(ctx context.Context, i int) error {
		_, _, err := q.ReceiveContext(ctx, buf)
		if err == nil {
			require.Equal(t, uint64(i), number(buf))
		}
		return err
	})
	running.Wait()
	a, err := q.Attr()
	require.NoError(t, err)
	assert.Zero(t, a.CurMsgs)
	t.Logf("%d of the senders' contexts and %d of the receivers' ended first", senders, receivers)
}

func TestManyWhoGiveUpAtRandomShareTheMessages(t *testing.T) {
	const count, receivers = 2000, 50
	q := newQueue(t, 5, 8, 0)
	all, stop := context.WithCancel(t.Context())
	defer stop()
	var mu sync.Mutex
	got := map[uint64]int{}
	var running sync.WaitGroup
	for range receivers {
		running.Go(func() {
			buf := make([]byte, 8)
			for all.Err() == nil {
				ctx, cancel := context.WithTimeout(all, time.Duration(rand.N(2000))*time.Microsecond)
				_, _, err := q.ReceiveContext(ctx, buf)
				cancel()
				if err == nil {
					mu.Lock()
					got[number(buf)]++
					if len(got) == count {
						stop()
					}
					mu.Unlock()
				}
			}
		})
	}
	for i := range count {
		require.NoError(t, q.SendContext(t.Context(), numbered(i), 0))
	}
	running.Wait()
	require.Len(t, got, count)
	for i, times := range got {
		require.Equal(t, 1, times, "message %d", i)
	}
}
