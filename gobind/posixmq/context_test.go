package posixmq_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

func TestContextFormsTransferWhenTheyCan(t *testing.T) {
	for _, flags := range []int{0, unix.O_NONBLOCK} {
		q := newQueue(t, 2, 8, flags)
		require.NoError(t, q.SendContext(t.Context(), []byte("low"), 1))
		require.NoError(t, q.SendContext(t.Context(), nil, 2))
		buf := make([]byte, 8)
		n, priority, err := q.ReceiveContext(t.Context(), buf)
		require.NoError(t, err)
		assert.Equal(t, 0, n)
		assert.Equal(t, uint(2), priority)
		n, priority, err = q.ReceiveContext(t.Context(), buf)
		require.NoError(t, err)
		assert.Equal(t, "low", string(buf[:n]))
		assert.Equal(t, uint(1), priority)
	}
}

func TestContextFormsWaitEvenOnANonBlockingQueue(t *testing.T) {
	for i, flags := range []int{0, unix.O_NONBLOCK, 0, unix.O_NONBLOCK} {
		q := newQueue(t, 1, 8, flags)
		if i >= 2 {
			require.NoError(t, q.Alone())
		}
		var waiters sync.WaitGroup
		buf := make([]byte, 8)
		waiters.Go(func() {
			n, priority, err := q.ReceiveContext(t.Context(), buf)
			assert.NoError(t, err)
			assert.Equal(t, "x", string(buf[:n]))
			assert.Equal(t, uint(7), priority)
		})
		waiting(t, q, 1, 0)
		require.NoError(t, q.Send([]byte("x"), 7))
		waiters.Wait()

		require.NoError(t, q.Send([]byte("a"), 0))
		waiters.Go(func() { assert.NoError(t, q.SendContext(t.Context(), []byte("b"), 0)) })
		waiting(t, q, 0, 1)
		n, _, err := q.Receive(buf)
		require.NoError(t, err)
		assert.Equal(t, "a", string(buf[:n]))
		waiters.Wait()
		n, _, err = q.Receive(buf)
		require.NoError(t, err)
		assert.Equal(t, "b", string(buf[:n]))
	}
}

func TestAnEndedContextTransfersNothing(t *testing.T) {
	why := errors.New("changed my mind")
	ended, end := context.WithCancelCause(t.Context())
	end(why)
	late, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	q := newQueue(t, 2, 8, 0)
	require.NoError(t, q.Send(nil, 0))
	for ctx, cause := range map[context.Context]error{ended: why, late: context.DeadlineExceeded} {
		assert.Equal(t, cause, q.SendContext(ctx, nil, 0))
		_, _, err := q.ReceiveContext(ctx, make([]byte, 8))
		assert.Equal(t, cause, err)
	}
	a, err := q.Attr()
	require.NoError(t, err)
	assert.Equal(t, 1, a.CurMsgs)
}

func TestWaitingEndsWithItsContextAndTransfersNothing(t *testing.T) {
	why := errors.New("no more patience")
	empty, full := newQueue(t, 1, 8, 0), newQueue(t, 1, 8, 0)
	require.NoError(t, full.Send([]byte("old"), 0))
	for range 100 {
		ctx, cancel := context.WithCancelCause(t.Context())
		errs := make(chan error, 2)
		go func() { _, _, err := empty.ReceiveContext(ctx, make([]byte, 8)); errs <- err }()
		go func() { errs <- full.SendContext(ctx, []byte("new"), 1) }()
		waiting(t, empty, 1, 0)
		waiting(t, full, 0, 1)
		cancel(why)
		require.Equal(t, why, <-errs)
		require.Equal(t, why, <-errs)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, _, err := empty.ReceiveContext(ctx, make([]byte, 8))
	assert.Equal(t, context.DeadlineExceeded, err)
	assert.Equal(t, context.DeadlineExceeded, full.SendContext(ctx, nil, 1))
	for q, want := range map[*posixmq.Queue]int{empty: 0, full: 1} {
		a, err := q.Attr()
		require.NoError(t, err)
		assert.Equal(t, want, a.CurMsgs)
	}
}

func TestCloseEndsTheWaitingOfTheContextForms(t *testing.T) {
	for range 20 {
		empty, full := newQueue(t, 1, 8, 0), newQueue(t, 1, 8, 0)
		require.NoError(t, full.Send(nil, 0))
		outcomes := make(chan error)
		for range 10 {
			go func() { _, _, err := empty.ReceiveContext(t.Context(), make([]byte, 8)); outcomes <- err }()
			go func() { outcomes <- full.SendContext(t.Context(), nil, 0) }()
		}
		waiting(t, empty, 10, 0)
		waiting(t, full, 0, 10)
		require.NoError(t, empty.Close())
		require.NoError(t, full.Close())
		for range 20 {
			require.ErrorIs(t, <-outcomes, unix.EBADF)
		}
	}
}

func TestCloseAmidTransfersEndsThem(t *testing.T) {
	for range 50 {
		q := newQueue(t, 3, 8, 0)
		var running sync.WaitGroup
		for range 3 {
			running.Go(func() {
				for ipctest.Errno(q.SendContext(t.Context(), nil, 0)) != unix.EBADF {
				}
			})
			running.Go(func() {
				for err := error(nil); ipctest.Errno(err) != unix.EBADF; {
					_, _, err = q.ReceiveContext(t.Context(), make([]byte, 8))
				}
			})
		}
		for range rand.N(100) {
			runtime.Gosched()
		}
		require.NoError(t, q.Close())
		running.Wait()
	}
}

func TestTheWrongAccessModeIsNoReasonToWait(t *testing.T) {
	q := newQueue(t, 1, 8, 0)
	writer := open(t, q.Name(), unix.O_WRONLY, nil)
	reader := open(t, q.Name(), unix.O_RDONLY, nil)
	_, _, err := writer.ReceiveContext(t.Context(), make([]byte, 8))
	ipctest.IsPathError(t, err, "mq_receive", q.Name(), unix.EBADF)
	require.NoError(t, q.Send(nil, 0))
	ipctest.IsPathError(t, reader.SendContext(t.Context(), nil, 0), "mq_send", q.Name(), unix.EBADF)

	// Each in its own direction waits.
	done := make(chan error)
	go func() { done <- writer.SendContext(t.Context(), []byte("second"), 0) }()
	waiting(t, writer, 0, 1)
	buf := make([]byte, 8)
	for _, want := range []string{"", "second"} {
		n, _, err := reader.ReceiveContext(t.Context(), buf)
		require.NoError(t, err)
		assert.Equal(t, want, string(buf[:n]))
	}
	require.NoError(t, <-done)
}

func TestBothDirectionsWaitIndependently(t *testing.T) {
	requests, replies := newQueue(t, 1, 8, 0), newQueue(t, 1, 8, 0)
	var serving sync.WaitGroup
	const rounds = 2000
	serving.Go(func() {
		buf := make([]byte, 8)
		for range rounds {
			n, priority, err := requests.ReceiveContext(t.Context(), buf)
			if assert.NoError(t, err) {
				assert.NoError(t, replies.SendContext(t.Context(), buf[:n], priority))
			}
		}
	})
	buf := make([]byte, 8)
	for i := range rounds {
		require.NoError(t, requests.SendContext(t.Context(), numbered(i), uint(i)))
		_, priority, err := replies.ReceiveContext(t.Context(), buf)
		require.NoError(t, err)
		require.Equal(t, uint(i), priority)
		require.Equal(t, uint64(i), number(buf))
	}
	serving.Wait()
}
