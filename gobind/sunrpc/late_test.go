package sunrpc

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A server that answers twice, as one does that got a call twice, and its client.
func answeringTwice(t *testing.T, o Options) (c *Client, calls <-chan []byte, answer chan<- []byte) {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	received, answers := make(chan []byte, 100), make(chan []byte)
	go func() {
		for {
			call := make([]byte, 1000)
			n, client, err := server.ReadFrom(call)
			if err != nil {
				close(received)
				return
			}
			received <- call[:n]
			for range 2 {
				if _, err := server.WriteTo(<-answers, client); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	c, err = Dial(context.Background(), "udp", server.LocalAddr().String(), Program{Number: 77, Version: 1}, o)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c, received, answers
}

// accepted is the answer of a procedure without a result.
func accepted(call []byte) []byte {
	reply := make([]byte, 24) // 0: accepted, no verifier, success
	copy(reply, call[:4])
	reply[7] = 1 // a reply
	return reply
}

// arrived returns when a datagram is there for the client.
func arrived(t *testing.T, c *Client) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 60_000)
		if err == unix.EINTR {
			continue
		}
		require.NoError(t, err)
		require.Equal(t, 1, n)
		return
	}
}

func TestASecondAnswerIsNotTakenForThatOfTheNextCall(t *testing.T) {
	c, calls, answer := answeringTwice(t, Options{Timeout: time.Minute, Retry: time.Minute})
	for range 5 {
		done := make(chan error, 1)
		go func() { done <- c.Null(context.Background()) }()
		call := <-calls
		answer <- accepted(call)
		require.NoError(t, <-done)
		answer <- accepted(call)
		arrived(t, c)
	}
	assert.Empty(t, calls, "none is sent twice")
}
