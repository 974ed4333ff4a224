package sysvmq_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
)

func TestAnEndedContextTransfersNothing(t *testing.T) {
	why := errors.New("changed my mind")
	ended, end := context.WithCancelCause(t.Context())
	end(why)
	late, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	q := newQueue(t)
	require.NoError(t, q.Send(1, []byte("x"), 0))
	m := sysvmq.NewMessage(8)
	m.SetType(1)
	for ctx, cause := range map[context.Context]error{ended: why, late: context.DeadlineExceeded} {
		assert.Equal(t, cause, q.SendContext(ctx, 1, nil, 0))
		assert.Equal(t, cause, q.SendMessage(ctx, m, 8, 0))
		n, mtype, err := q.ReceiveContext(ctx, make([]byte, 8), 0, 0)
		assert.Equal(t, cause, err)
		assert.Zero(t, n)
		assert.Zero(t, mtype)
		_, err = q.ReceiveMessage(ctx, m, 0, 0)
		assert.Equal(t, cause, err)
	}
	s, err := q.Stat()
	require.NoError(t, err)
	assert.Equal(t, 1, s.Messages)
}

func TestASleepEndsWithItsContextAndTransfersNothing(t *testing.T) {
	why := errors.New("no more patience")
	empty, full := newQueue(t), newQueue(t)
	fill(t, full)
	for range 30 {
		ctx, cancel := context.WithCancelCause(t.Context())
		outcomes := make(chan error, 2)
		go func() { _, _, err := empty.ReceiveContext(ctx, nil, 0, 0); outcomes <- err }()
		go func() { outcomes <- full.SendContext(ctx, 2, []byte("x"), 0) }()
		ipctest.Asleep(t, unix.SYS_MSGRCV, 1)
		ipctest.Asleep(t, unix.SYS_MSGSND, 1)
		cancel(why)
		require.Equal(t, why, <-outcomes)
		require.Equal(t, why, <-outcomes)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, _, err := empty.ReceiveContext(ctx, nil, 0, 0)
	assert.Equal(t, context.DeadlineExceeded, err)
	assert.Equal(t, context.DeadlineExceeded, full.SendContext(ctx, 2, []byte("x"), 0))
	for q, want := range map[*sysvmq.Queue]int{empty: 0, full: 1} {
		s, err := q.Stat()
		require.NoError(t, err)
		assert.Equal(t, want, s.Messages)
	}
}

func TestAContextEndsItsOwnSleepOnly(t *testing.T) {
	q := newQueue(t)
	ctx, cancel := context.WithCancel(t.Context())
	gone, stays := make(chan error, 1), make(chan error, 1)
	go func() { _, _, err := q.ReceiveContext(ctx, nil, 0, 0); gone <- err }()
	go func() { _, _, err := q.ReceiveContext(t.Context(), nil, 0, 0); stays <- err }()
	ipctest.Asleep(t, unix.SYS_MSGRCV, 2)
	cancel()
	require.Equal(t, context.Canceled, <-gone)
	ipctest.Asleep(t, unix.SYS_MSGRCV, 1)
	assert.Empty(t, stays)
	require.NoError(t, q.Send(1, nil, 0))
	require.NoError(t, <-stays)
}

// Contexts end at random while messages flow: each message must arrive once, and in
// the order in which it was sent.
func TestNothingIsLostOrDoubledByEndingContexts(t *testing.T) {
	q := newQueue(t)
	s, err := q.Stat()
	require.NoError(t, err)
	s.MaxBytes = 24 // three messages
	require.NoError(t, q.Set(s))
	const count = 2000
	var running sync.WaitGroup
	var senders, receivers int
	running.Go(func() {
		senders = ipctest.Persist(t, count, func(ctx context.Context, i int) error {
			return q.SendContext(ctx, 1, binary.LittleEndian.AppendUint64(nil, uint64(i)), 0)
		})
	})
	buf := make([]byte, 8)
	receivers = ipctest.Persist(t, count, func(ctx context.Context, i int) error {
		_, _, err := q.ReceiveContext(ctx, buf, 0, 0)
		if err == nil {
			require.Equal(t, uint64(i), binary.LittleEndian.Uint64(buf))
		}
		return err
	})
	running.Wait()
	s, err = q.Stat()
	require.NoError(t, err)
	assert.Zero(t, s.Messages)
	t.Logf("%d of the senders' contexts and %d of the receivers' ended first", senders, receivers)
}

func TestManyWhoGiveUpAtRandomShareTheMessages(t *testing.T) {
	const count, receivers = 1000, 20
	q := newQueue(t)
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
				_, mtype, err := q.ReceiveContext(ctx, buf, -int64(1+rand.N(3)), 0)
				cancel()
				if err == nil {
					mu.Lock()
					number := binary.LittleEndian.Uint64(buf)
					got[number]++
					assert.Equal(t, int64(1+number%3), mtype)
					if len(got) == count {
						stop()
					}
					mu.Unlock()
				}
			}
		})
	}
	for i := range uint64(count) {
		require.NoError(t, q.SendContext(t.Context(), int64(1+i%3), binary.LittleEndian.AppendUint64(nil, i), 0))
	}
	running.Wait()
	require.Len(t, got, count)
	for i, times := range got {
		require.Equal(t, 1, times, "message %d", i)
	}
}
