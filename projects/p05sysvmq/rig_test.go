package p05sysvmq

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/alive"
)

// patient bounds the wait for what must happen.
const patient = 30 * time.Second

// nobody is the pid of no process: Linux has pids of 22 bits.
const nobody = 1 << 30

// logged is what a server has said so far.
type logged struct{ ipctest.Log }

// await waits until the log has text.
func (l *logged) await(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(l.String(), text) },
		patient, time.Millisecond, "waiting for %q in the log", text)
}

// server starts a server for a key, which ends with the test.
type server func(t *testing.T, key sysvmq.Key, quiet bool) *logged

// serve is the server of this package in this process.
func serve(t *testing.T, key sysvmq.Key, quiet bool) *logged {
	t.Helper()
	log := &logged{}
	s, err := Listen(key, false, log, quiet)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-served)
		assert.NoError(t, s.Close())
		_, err := sysvmq.Get(key, 0)
		assert.ErrorIs(t, err, os.ErrNotExist)
	})
	log.await(t, "Waiting for requests")
	return log
}

// dial makes a client.
func dial(t *testing.T, key sysvmq.Key) *Client {
	t.Helper()
	c, err := Dial(context.Background(), key)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	c.Timeout = patient
	return c
}

// ask is a round trip.
func ask(c *Client, text string) (string, error) {
	if err := c.Send([]byte(text)); err != nil {
		return "", err
	}
	answer, err := c.Receive()
	return string(answer), err
}

// answers says that the server still does its work.
func answers(t *testing.T, key sysvmq.Key) {
	t.Helper()
	answer, err := ask(dial(t, key), "HELLO")
	require.NoError(t, err)
	require.Equal(t, "HELLO_PROCESSED", answer)
}

func queueOf(t *testing.T, key sysvmq.Key) *sysvmq.Queue {
	t.Helper()
	q, err := sysvmq.Get(key, 0)
	require.NoError(t, err)
	return q
}

// emptied waits until the queue is empty.
func emptied(t *testing.T, q *sysvmq.Queue) {
	t.Helper()
	ipctest.Eventually(t, func() bool {
		st, err := q.Stat()
		return err == nil && st.Messages == 0
	}, "the queue is empty")
}

// fill sends messages until there is no room for one more; each is of the type that is
// next and has the deadline.
func fill(t *testing.T, q *sysvmq.Queue, next func() int64, deadline uint64) (messages int) {
	t.Helper()
	for size := 1000; size > 0; size /= 10 {
		for {
			r := response{deadline: deadline, text: bytes.Repeat([]byte("x"), size)}
			err := q.Send(next(), r.append(nil), sysvmq.NoWait)
			if errors.Is(err, unix.EAGAIN) {
				break
			}
			require.NoError(t, err)
			messages++
		}
	}
	return messages
}

const never = 1<<64 - 1

func dead() func() int64 {
	pid := int64(nobody)
	return func() int64 { pid++; return pid }
}

func parent() int64 { return int64(os.Getppid()) }

// process is a request of a living process.
func process(t *testing.T, pid int) request {
	t.Helper()
	ticks, ok := alive.Started(pid)
	require.True(t, ok)
	return request{pid: pid, started: ticks, text: []byte("HELLO")}
}

// taken is the message for this process's parent. For a moment it may be in the hands
// of the server, which looks at it.
func taken(t *testing.T, q *sysvmq.Queue) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	data := make([]byte, 2000)
	n, _, err := q.ReceiveContext(ctx, data, parent(), 0)
	require.NoError(t, err)
	return data[:n]
}
