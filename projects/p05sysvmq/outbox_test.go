package p05sysvmq

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

func testFullOfDead(t *testing.T, serve server) {
	key := newKey(t)
	log := serve(t, key, false)
	for range 3 {
		fill(t, queueOf(t, key), dead(), never)
		answer, err := ask(dial(t, key), strings.Repeat("x", 5000))
		require.NoError(t, err)
		assert.Equal(t, strings.Repeat("x", 5000)+suffix, answer)
	}
	log.await(t, "Removed: a response to client 1073741825, who is gone\n")
}

func testFullOfLate(t *testing.T, serve server) {
	key := newKey(t)
	log := serve(t, key, false)
	answers(t, key)
	fill(t, queueOf(t, key), parent, 1)
	answers(t, key)
	log.await(t, fmt.Sprintf("Removed: a response to client %d, who no longer waits\n", os.Getppid()))
}

func testNoReader(t *testing.T, serve server) {
	key := newKey(t)
	serve(t, key, false)
	answers(t, key)
	q := queueOf(t, key)
	require.Greater(t, fill(t, q, parent, never), 1)
	newest := process(t, os.Getppid())
	newest.nonce, newest.deadline, newest.text = 4711, never, []byte("NEWEST")
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	require.NoError(t, q.SendContext(ctx, RequestType, newest.append(nil), 0))
	answers(t, key)
	ipctest.Eventually(t, func() bool {
		st, err := q.Stat()
		return err == nil && st.Messages == 1
	}, "one response stays")
	r, ok := parseResponse(taken(t, q))
	assert.True(t, ok)
	assert.Equal(t, "NEWEST_PROCESSED", string(r.text))
}

func testSurvivor(t *testing.T, serve server) {
	key := newKey(t)
	log := serve(t, key, false)
	answers(t, key)
	q := queueOf(t, key)
	mine := response{nonce: 4711, deadline: never, text: []byte("MINE")}
	require.NoError(t, q.Send(parent(), mine.append(nil), 0))
	fill(t, q, dead(), never)
	answers(t, key)
	log.await(t, "who is gone\n")
	assert.Equal(t, mine.append(nil), taken(t, q))
}

func testStrayTypes(t *testing.T, serve server) {
	key := newKey(t)
	log := serve(t, key, false)
	q := queueOf(t, key)
	require.NoError(t, q.Send(parent(), []byte("short"), 0))
	require.NoError(t, q.Send(1<<40, make([]byte, 100), 0))
	answers(t, key)
	emptied(t, q)
	log.await(t, fmt.Sprintf("Removed: a message of type %d that is no response\n", os.Getppid()))
	log.await(t, "Removed: a response to client 0, who is gone\n")
}

func testIdle(t *testing.T, serve server) {
	key := newKey(t)
	log := serve(t, key, false)
	answers(t, key)
	emptied(t, queueOf(t, key))
	require.NoError(t, queueOf(t, key).Send(nobody, (&response{deadline: never}).append(nil), 0))
	answers(t, key)
	emptied(t, queueOf(t, key))
	log.await(t, "Removed: a response to client 1073741824, who is gone\n")
}
