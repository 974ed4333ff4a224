package p05sysvmq

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
)

// serverTests are for the server in either language: they ask for the same log.
var serverTests = []struct {
	name string
	run  func(*testing.T, server)
}{
	{"it logs a line for each request", testLog},
	{"a quiet one logs only trouble", testQuiet},
	{"what is no request is refused", testRefused},
	{"a client that does not say how long it waits has a minute", testNoDeadline},
	{"a queue full of responses to the dead is cleared", testFullOfDead},
	{"a queue full of responses that nobody waits for is cleared", testFullOfLate},
	{"a living client that does not read has one response in the queue, the newest", testNoReader},
	{"a response to a living client survives", testSurvivor},
	{"a message of any other type does not stay", testStrayTypes},
	{"responses to the dead do not stay in an idle queue", testIdle},
	{"a message longer than any before is read", testLongMessage},
	{"a queue with messages of a dead server is taken over", testTakenOver},
	{"a queue that anybody can use becomes private", testMadePrivate},
}

func TestServer(t *testing.T) {
	for _, c := range serverTests {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, serve)
		})
	}
}

func testLog(t *testing.T, serve server) {
	key := newKey(t)
	log := serve(t, key, false)
	c := dial(t, key)
	for _, text := range []string{"HELLO", "", "a\\\x1b[2J\xff"} {
		answer, err := ask(c, text)
		require.NoError(t, err)
		assert.Equal(t, text+"_PROCESSED", answer)
	}
	want := fmt.Sprintf("Server starting, key=%[2]s, msqid=%[3]d\n"+
		"Waiting for requests (msgtyp=1)...\n"+
		"Client %[1]d: HELLO -> HELLO_PROCESSED (msgtyp=%[1]d)\n"+
		"Client %[1]d:  -> _PROCESSED (msgtyp=%[1]d)\n"+
		`Client %[1]d: a\\\x1b[2J\xff -> a\\\x1b[2J\xff_PROCESSED (msgtyp=%[1]d)`+"\n",
		os.Getpid(), key, queueOf(t, key).ID())
	log.await(t, want)
	assert.Equal(t, want, log.String())
}

func testQuiet(t *testing.T, serve server) {
	key := newKey(t)
	log := serve(t, key, true)
	answers(t, key)
	require.NoError(t, queueOf(t, key).Send(RequestType, nil, 0))
	answers(t, key)
	want := fmt.Sprintf("(msgtyp=1)...\nRefused: too short for a request (the queue's last sender was process %d)\n", os.Getpid())
	log.await(t, want)
	assert.True(t, strings.HasSuffix(log.String(), want), log.String())
}

func testRefused(t *testing.T, serve server) {
	key := newKey(t)
	log := serve(t, key, false)
	q := queueOf(t, key)
	late, other := process(t, os.Getppid()), process(t, os.Getppid())
	late.deadline = 1
	other.started--
	want := "(msgtyp=1)...\n"
	by := fmt.Sprintf(" (the queue's last sender was process %d)", os.Getpid())
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "too short for a request" + by},
		{(&request{pid: os.Getppid()}).append(nil)[:requestHead-1], "too short for a request" + by},
		{make([]byte, 500), "not a request" + by},
		{(&request{pid: 0}).append(nil), "0 is no client's pid" + by},
		{(&request{pid: -1}).append(nil), "-1 is no client's pid" + by},
		{(&request{pid: nobody}).append(nil), "client 1073741824 is gone"},
		{other.append(nil), fmt.Sprintf("process %d is not the client: it was started at another time%s", os.Getppid(), by)},
		{late.append(nil), fmt.Sprintf("client %d no longer waits", os.Getppid())},
	} {
		require.NoError(t, q.Send(RequestType, c.data, 0))
		answers(t, key)
		want += fmt.Sprintf("Refused: %s\nClient %[2]d: HELLO -> HELLO_PROCESSED (msgtyp=%[2]d)\n", c.want, os.Getpid())
		log.await(t, want)
	}
	st, err := q.Stat()
	require.NoError(t, err)
	assert.Zero(t, st.Messages, "nobody was answered")
}

func testNoDeadline(t *testing.T, serve server) {
	key := newKey(t)
	serve(t, key, false)
	q := queueOf(t, key)
	req := process(t, os.Getppid())
	req.nonce = 4711
	before := now()
	require.NoError(t, q.Send(RequestType, req.append(nil), 0))
	r, ok := parseResponse(taken(t, q))
	require.True(t, ok)
	assert.Equal(t, "HELLO_PROCESSED", string(r.text))
	assert.EqualValues(t, 4711, r.nonce)
	assert.Zero(t, r.status)
	assert.GreaterOrEqual(t, r.deadline, before+uint64(time.Minute))
	assert.LessOrEqual(t, r.deadline, now()+uint64(time.Minute))
}

func testLongMessage(t *testing.T, serve server) {
	raised := raise(t, "msgmax", 1<<20) && raise(t, "msgmnb", 1<<20)
	key := newKey(t)
	serve(t, key, false)
	info, err := sysvmq.ReadInfo()
	require.NoError(t, err)
	sizes := []int{info.MaxMessage - requestHead}
	if raised {
		sizes = append([]int{8193, 100_000}, sizes...)
	}
	for _, size := range sizes {
		text := strings.Repeat("x", size)
		answer, err := ask(dial(t, key), text)
		require.NoError(t, err)
		assert.True(t, answer == text+suffix, "%d bytes", size)
	}
	answers(t, key)
	_, err = ask(dial(t, key), strings.Repeat("x", info.MaxMessage))
	assert.ErrorIs(t, err, ErrTooLong)
}

// raise changes a limit of this IPC namespace until the test ends. Without a namespace
// of this test's own, or without privilege, it changes nothing.
func raise(t *testing.T, limit string, to int) bool {
	t.Helper()
	path := "/proc/sys/kernel/" + limit
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	ours, err := os.Readlink("/proc/self/ns/ipc")
	require.NoError(t, err)
	// As root, ipctest has started this process in a new one.
	parents, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/ipc", os.Getppid()))
	if err != nil || ours == parents || os.WriteFile(path, fmt.Append(nil, to), 0) != nil {
		return false
	}
	t.Cleanup(func() { assert.NoError(t, os.WriteFile(path, before, 0)) })
	return true
}

func TestAServerWhoseQueueIsRemovedSaysSo(t *testing.T) {
	key := newKey(t)
	s, err := Listen(key, false, &logged{}, false)
	require.NoError(t, err)
	served := make(chan error)
	go func() { served <- s.Serve(context.Background()) }()
	answers(t, key)
	require.NoError(t, queueOf(t, key).Remove())
	assert.ErrorIs(t, <-served, ErrRemoved)
	require.NoError(t, s.Close())
}

func TestAServerThatIsToldToEndBeforeItBegins(t *testing.T) {
	key := newKey(t)
	s, err := Listen(key, false, &logged{}, false)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.NoError(t, s.Serve(ctx))
	require.NoError(t, s.Close())
}

type brokenLog struct{ after int }

func (b *brokenLog) Write(p []byte) (int, error) {
	if b.after--; b.after < 0 {
		return 0, unix.EPIPE
	}
	return len(p), nil
}

func TestServerStopsWithItsLog(t *testing.T) {
	key := newKey(t)
	s, err := Listen(key, false, &brokenLog{after: 2}, false)
	require.NoError(t, err)
	require.NoError(t, s.queue.Send(RequestType, nil, 0))
	assert.ErrorIs(t, s.Serve(context.Background()), unix.EPIPE)
	require.NoError(t, s.Close())
}
