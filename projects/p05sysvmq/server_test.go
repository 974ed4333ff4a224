package p05sysvmq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
)

// patient bounds the wait for what must happen.
const patient = 30 * time.Second

// nobody is the pid of no process: Linux has pids of 22 bits.
const nobody = 1 << 30

// logged is a log that can be read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

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
	ticks, alive := started(pid)
	require.True(t, alive)
	return request{pid: pid, started: ticks, text: []byte("HELLO")}
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
