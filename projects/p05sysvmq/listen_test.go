package p05sysvmq

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/sysvmq"
)

func testTakenOver(t *testing.T, serve server) {
	key := newKey(t)
	last := killed(t, key)
	waiting := process(t, os.Getppid())
	waiting.deadline = never
	gone := request{pid: nobody}
	response := response{deadline: never}
	require.NoError(t, last.queue.Send(RequestType, waiting.append(nil), 0))
	require.NoError(t, last.queue.Send(nobody, response.append(nil), 0))
	require.NoError(t, last.queue.Send(RequestType, gone.append(nil), 0))
	require.NoError(t, last.queue.Send(int64(os.Getpid()), response.append(nil), 0))
	log := serve(t, key, false)
	log.await(t, fmt.Sprintf("Server starting, key=%s, msqid=%d\n"+
		"Taking over the queue of server %d, which is dead; messages in it: 4\n"+
		"Removed: a response to client 1073741824, who is gone\n"+
		"Waiting for requests", key, last.queue.ID(), os.Getpid()))
	assert.True(t, bytes.HasSuffix(taken(t, last.queue), []byte("HELLO_PROCESSED")))
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	_, _, err := last.queue.ReceiveContext(ctx, make([]byte, 100), int64(os.Getpid()), 0)
	require.NoError(t, err, "a response that waited for its client waits on")
	answers(t, key)
}

func testMadePrivate(t *testing.T, serve server) {
	key := newKey(t)
	q, err := sysvmq.Get(key, sysvmq.Create|0o666)
	require.NoError(t, err)
	log := serve(t, key, false)
	log.await(t, "Taking over the queue that was there; messages in it: 0\n")
	st, err := q.Stat()
	require.NoError(t, err)
	assert.EqualValues(t, 0o600, st.Mode)
	answers(t, key)
}

func TestListen(t *testing.T) {
	key := newKey(t)
	s, err := Listen(key, false, &logged{}, false)
	require.NoError(t, err)
	_, err = Listen(key, true, &logged{}, false)
	assert.EqualError(t, err, fmt.Sprintf("key %s: a server is already running (process %d)", key, os.Getpid()))
	require.NoError(t, s.Close())

	theirs, err := sysvmq.Get(key, sysvmq.Create|0o666)
	require.NoError(t, err)
	st, err := theirs.Stat()
	require.NoError(t, err)
	st.UID = os.Geteuid() + 1
	require.NoError(t, theirs.Set(st))
	_, err = Listen(key, true, &logged{}, false)
	assert.EqualError(t, err, fmt.Sprintf("key %s: the queue (msqid %d) is another user's, with uid %d", key, theirs.ID(), st.UID))
	_, err = Dial(t.Context(), key)
	assert.ErrorContains(t, err, "another user's")
	assert.NoFileExists(t, lockPath(key))
	require.NoError(t, theirs.Remove())

	killed(t, key)
	require.NoError(t, queueOf(t, key).Send(RequestType, nil, 0))
	fresh, err := Listen(key, true, &logged{}, false)
	require.NoError(t, err)
	assert.Contains(t, fresh.inherited, "Removed the queue of server")
	assert.Contains(t, fresh.inherited, "messages in it: 1")
	st, err = fresh.queue.Stat()
	require.NoError(t, err)
	assert.Zero(t, st.Messages)
	require.NoError(t, fresh.Close())
}
