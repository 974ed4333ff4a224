package posixmq_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

func channel(q *posixmq.Queue) ipctest.Channel {
	return ipctest.Channel{
		Send: func(ctx context.Context, number uint64) error {
			return q.SendContext(ctx, numbered(int(number)), 0)
		},
		Receive: func(ctx context.Context) (uint64, error) {
			buf := make([]byte, 8)
			_, _, err := q.ReceiveContext(ctx, buf)
			return number(buf), err
		},
	}
}

func TestNothingIsLostOrDoubledByEndingContexts(t *testing.T) {
	q := newQueue(t, 3, 8, 0)
	inOrder := func() {
		ipctest.AssertInOrder(t, channel(q), 3000)
		a, err := q.Attr()
		require.NoError(t, err)
		assert.Zero(t, a.CurMsgs)
	}
	inOrder()
	require.NoError(t, q.Alone(), "without its second descriptor")
	inOrder()
}

func TestManyWhoGiveUpAtRandomShareTheMessages(t *testing.T) {
	ipctest.AssertShared(t, channel(newQueue(t, 5, 8, 0)), 2000, 50)
}
