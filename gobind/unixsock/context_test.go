package unixsock_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/unixsock"
)

func TestEverySleepEndsWithItsContext(t *testing.T) {
	a, b := pair(t, unixsock.SeqPacket)
	_, err := a.SetSendBuffer(1)
	require.NoError(t, err)
	require.NoError(t, unix.SetNonblock(a.Fd(), true))
	full := 0
	for ; err == nil; full++ {
		_, err = a.Write(make([]byte, 100))
	}
	require.ErrorIs(t, err, unix.EAGAIN)
	require.NoError(t, unix.SetNonblock(a.Fd(), false))
	idle, err := unixsock.Listen(unixsock.Stream, "")
	require.NoError(t, err)
	defer idle.Close()
	busy, err := unixsock.Listen(unixsock.Stream, "")
	require.NoError(t, err)
	defer busy.Close()
	require.NoError(t, unix.Listen(busy.Fd(), 0))
	waiting, err := unixsock.Dial(unixsock.Stream, busy.Addr())
	require.NoError(t, err)
	defer waiting.Close()

	buf := make([]byte, 100)
	for name, sleep := range map[string]struct {
		call uintptr
		do   func(ctx context.Context) error
	}{
		"accept": {unix.SYS_ACCEPT4, func(ctx context.Context) error { _, err := idle.AcceptContext(ctx); return err }},
		"connect": {unix.SYS_CONNECT, func(ctx context.Context) error {
			_, err := unixsock.DialContext(ctx, unixsock.Stream, busy.Addr())
			return err
		}},
		"recvmsg": {unix.SYS_RECVMSG, func(ctx context.Context) error { _, _, err := a.ReceiveRightsContext(ctx, buf, 1); return err }},
		"sendmsg": {unix.SYS_SENDMSG, func(ctx context.Context) error { _, err := a.SendRightsContext(ctx, buf, 1); return err }},
	} {
		why := errors.New("no more patience")
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() { done <- sleep.do(ctx) }()
		ipctest.Asleep(t, sleep.call, 1)
		cancel(why)
		assert.Equal(t, why, <-done, name)
		assert.Equal(t, why, sleep.do(ctx), "%s: an ended context keeps the call from being made", name)
	}

	// Nothing was taken and nothing given.
	for range full - 1 {
		n, fds, err := b.ReceiveRights(buf, 1)
		require.NoError(t, err)
		assert.Equal(t, 100, n)
		assert.Empty(t, fds)
	}
	require.NoError(t, a.Close())
	_, err = b.Read(buf)
	assert.Equal(t, io.EOF, err, "no further packet")
	c, err := busy.Accept()
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.NoError(t, unix.SetNonblock(busy.Fd(), true))
	_, err = busy.Accept()
	assert.ErrorIs(t, err, unix.EAGAIN, "one has connected")
	c, err = unixsock.Dial(unixsock.Stream, idle.Addr())
	require.NoError(t, err)
	defer c.Close()
	accepted, err := idle.Accept()
	require.NoError(t, err)
	require.NoError(t, accepted.Close())
}
