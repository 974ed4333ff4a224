package sysvmq_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/sysv/sysvtest"
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
	assert.Equal(t, 1, sysvtest.State(t, q).Messages)
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
		assert.Equal(t, want, sysvtest.State(t, q).Messages)
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

// channel sends messages of types 1 to 3 in turn, and receives those that mtype says.
func channel(t testing.TB, q *sysvmq.Queue, mtype func() int64) ipctest.Channel {
	return ipctest.Channel{
		Send: func(ctx context.Context, number uint64) error {
			return q.SendContext(ctx, int64(1+number%3), binary.LittleEndian.AppendUint64(nil, number), 0)
		},
		Receive: func(ctx context.Context) (uint64, error) {
			buf := make([]byte, 8)
			_, got, err := q.ReceiveContext(ctx, buf, mtype(), 0)
			number := binary.LittleEndian.Uint64(buf)
			if err == nil {
				assert.Equal(t, int64(1+number%3), got)
			}
			return number, err
		},
	}
}

func TestNothingIsLostOrDoubledByEndingContexts(t *testing.T) {
	q := newQueue(t)
	limit(t, q, 24) // three messages
	ipctest.AssertInOrder(t, channel(t, q, func() int64 { return 0 }), 2000)
	assert.Zero(t, sysvtest.State(t, q).Messages)
}

func TestManyWhoGiveUpAtRandomShareTheMessages(t *testing.T) {
	ipctest.AssertShared(t, channel(t, newQueue(t), func() int64 { return -int64(1 + rand.N(3)) }), 1000, 20)
}
