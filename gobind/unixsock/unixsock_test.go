package unixsock_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/unixsock"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func pair(t *testing.T, kind unixsock.Kind) (a, b *unixsock.Conn) {
	a, b, err := unixsock.Pair(kind)
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, c := range []*unixsock.Conn{a, b} {
			if c.Fd() >= 0 {
				assert.NoError(t, c.Close())
			}
		}
	})
	return a, b
}

func TestStreamHasNoBoundariesAndPacketsKeepThem(t *testing.T) {
	for kind, want := range map[unixsock.Kind][]string{
		unixsock.Stream:    {"onetwo"},
		unixsock.SeqPacket: {"one", "two"},
	} {
		a, b := pair(t, kind)
		for _, m := range []string{"one", "two"} {
			n, err := a.Write([]byte(m))
			require.NoError(t, err)
			assert.Equal(t, 3, n)
		}
		buf := make([]byte, 100)
		for _, m := range want {
			n, err := b.Read(buf)
			require.NoError(t, err)
			assert.Equal(t, m, string(buf[:n]))
		}
		require.NoError(t, a.Close())
		_, err := b.Read(buf)
		assert.Equal(t, io.EOF, err, "the other end is closed")
		_, err = b.ReadContext(t.Context(), buf)
		assert.Equal(t, io.EOF, err)
		_, err = b.Write(buf)
		assert.ErrorIs(t, err, unix.EPIPE)
		_, err = b.WriteContext(t.Context(), buf)
		assert.ErrorIs(t, err, unix.EPIPE)
	}
}

func TestWriteOfMoreThanTheBufferHoldsIsWhole(t *testing.T) {
	for name, write := range map[string]func(*unixsock.Conn, []byte) (int, error){
		"Write": (*unixsock.Conn).Write,
		"WriteContext": func(c *unixsock.Conn, p []byte) (int, error) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			return c.WriteContext(ctx, p)
		},
	} {
		a, b := pair(t, unixsock.Stream)
		sent := bytes.Repeat([]byte("0123456789"), 200_000)
		done := make(chan error)
		go func() {
			n, err := write(a, sent)
			if n != len(sent) {
				err = errors.Join(err, io.ErrShortWrite)
			}
			done <- errors.Join(err, a.Close())
		}()
		got, err := io.ReadAll(b)
		require.NoError(t, err, name)
		require.NoError(t, <-done, name)
		assert.True(t, bytes.Equal(sent, got), name)
	}
}

func TestWaitingReaderObeysItsContextAndLosesNothing(t *testing.T) {
	a, b := pair(t, unixsock.SeqPacket)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	buf := make([]byte, 10)
	_, err := b.ReadContext(ctx, buf)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = a.Write([]byte("later"))
	require.NoError(t, err)
	n, err := b.ReadContext(t.Context(), buf)
	require.NoError(t, err)
	assert.Equal(t, "later", string(buf[:n]))
}

func TestPacketMustFitTheSendBuffer(t *testing.T) {
	a, b := pair(t, unixsock.SeqPacket)
	room, err := a.SetSendBuffer(20_000)
	require.NoError(t, err)
	assert.Equal(t, 40_000, room)
	packet := make([]byte, room)
	_, err = a.Write(packet)
	require.ErrorIs(t, err, unix.EMSGSIZE)
	var call *os.SyscallError
	require.ErrorAs(t, err, &call)
	assert.Equal(t, "write", call.Syscall)
	n, err := a.Write(packet[:room-32])
	require.NoError(t, err)
	got, err := b.Read(packet)
	require.NoError(t, err)
	assert.Equal(t, n, got)
}

func TestEveryMessageArrivesWhetherItWasThereOrWaitedFor(t *testing.T) {
	for _, kind := range []unixsock.Kind{unixsock.Stream, unixsock.SeqPacket} {
		for _, size := range []int{1, 1000, 70_000} {
			a, b := pair(t, kind)
			echoed := make(chan error)
			go func() {
				buf := make([]byte, size)
				for {
					n, err := b.Read(buf)
					if err == io.EOF {
						err = nil
						n = 0
					}
					if n == 0 {
						echoed <- err
						return
					}
					if _, err := b.Write(buf[:n]); err != nil {
						echoed <- err
						return
					}
				}
			}()
			sent, got := bytes.Repeat([]byte{7}, size), make([]byte, size)
			for i := range 100 {
				sent[0], sent[size-1] = byte(i), byte(i)
				// Two at once now and then, so that a read finds one there already;
				// of large ones the buffers could not hold two each way.
				together := 1
				if i%2 == 1 && size <= 1000 {
					together = 2
				}
				for range together {
					n, err := a.Write(sent)
					require.NoError(t, err)
					require.Equal(t, size, n)
				}
				for range together {
					n, err := io.ReadFull(a, got)
					require.NoError(t, err)
					require.Equal(t, sent, got[:n])
				}
			}
			require.NoError(t, a.Close())
			require.NoError(t, <-echoed)
		}
	}
}

func TestEmptyWriteIsAPacketOfItsOwnAndNothingOnAStream(t *testing.T) {
	for _, kind := range []unixsock.Kind{unixsock.Stream, unixsock.SeqPacket} {
		a, b := pair(t, kind)
		n, err := a.Write(nil)
		require.NoError(t, err)
		assert.Zero(t, n)
		_, err = a.Write([]byte("x"))
		require.NoError(t, err)
		buf := make([]byte, 10)
		n, err = b.Read(buf)
		if kind == unixsock.SeqPacket {
			assert.Equal(t, io.EOF, err, "an empty packet looks like the end")
			n, err = b.Read(buf)
		}
		require.NoError(t, err)
		assert.Equal(t, "x", string(buf[:n]))
		n, err = b.Read(nil)
		require.NoError(t, err)
		assert.Zero(t, n)
	}
}

func TestEndClosedWithUnreadDataIsAResetAndIsToldOnce(t *testing.T) {
	for _, kind := range []unixsock.Kind{unixsock.Stream, unixsock.SeqPacket} {
		a, b := pair(t, kind)
		_, err := a.Write([]byte("unread"))
		require.NoError(t, err)
		require.NoError(t, b.Close())
		_, err = a.Read(make([]byte, 10))
		require.ErrorIs(t, err, unix.ECONNRESET)
		_, err = a.Read(make([]byte, 10))
		assert.Equal(t, io.EOF, err)
	}
}

func TestNonBlockingConnectionSaysEAGAIN(t *testing.T) {
	a, _ := pair(t, unixsock.Stream)
	require.NoError(t, unix.SetNonblock(a.Fd(), true))
	_, err := a.Read(make([]byte, 10))
	require.ErrorIs(t, err, unix.EAGAIN)
	n, err := a.Write(make([]byte, 10<<20))
	require.ErrorIs(t, err, unix.EAGAIN)
	assert.Positive(t, n, "what there was room for")
}

func TestClosedConnectionSaysEBADF(t *testing.T) {
	a, _ := pair(t, unixsock.Stream)
	require.NoError(t, a.Close())
	assert.ErrorIs(t, a.Close(), unix.EBADF)
	_, err := a.SendBuffer()
	assert.ErrorIs(t, err, unix.EBADF)
	_, err = a.SetSendBuffer(1)
	assert.ErrorIs(t, err, unix.EBADF)
	_, err = a.Read(make([]byte, 1))
	assert.ErrorIs(t, err, unix.EBADF)
	assert.Equal(t, "unix socket -1", a.String())
}
