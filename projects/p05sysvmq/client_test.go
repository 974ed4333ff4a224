package p05sysvmq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/alive"
)

// standIn is a queue whose server is the test.
type standIn struct {
	t   *testing.T
	key sysvmq.Key
	q   *sysvmq.Queue
}

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	key := newKey(t)
	q, err := sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|0o600)
	require.NoError(t, err)
	t.Cleanup(func() { _ = q.Remove() })
	return &standIn{t, key, q}
}

// request is the next one.
func (s *standIn) request() request {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patient)
	defer cancel()
	data := make([]byte, 8192)
	n, _, err := s.q.ReceiveContext(ctx, data, RequestType, 0)
	require.NoError(s.t, err)
	req, err := parseRequest(data[:n])
	require.NoError(s.t, err)
	return req
}

func (s *standIn) respond(req request, r response) {
	s.t.Helper()
	require.NoError(s.t, s.q.Send(ResponseType(req.pid), r.append(nil), 0))
}

// result is what a client prints or returns.
type result struct {
	answer string
	err    error
}

// asking is a client that asks on its own.
type asking struct {
	pid  int
	done <-chan result
}

// client starts a client that asks for a text.
type client func(t *testing.T, key sysvmq.Key, timeout time.Duration, text string) asking

// call is the client of this package in this process.
func call(t *testing.T, key sysvmq.Key, timeout time.Duration, text string) asking {
	done := make(chan result, 1)
	go func() {
		c, err := Dial(context.Background(), key)
		if err != nil {
			done <- result{"", err}
			return
		}
		defer c.Close()
		c.Timeout = timeout
		answer, err := ask(c, text)
		done <- result{answer, err}
	}()
	return asking{os.Getpid(), done}
}

// clientProgram is a client that is a program.
func clientProgram(program string) client {
	return func(t *testing.T, key sysvmq.Key, timeout time.Duration, text string) asking {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		cmd := exec.CommandContext(ctx, program, "--key", key.String(),
			"--timeout", fmt.Sprint(timeout.Seconds()), text)
		var out, complaint bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &complaint
		require.NoError(t, cmd.Start())
		done := make(chan result, 1)
		go func() {
			defer cancel()
			err := cmd.Wait()
			if err != nil {
				assert.EqualError(t, err, "exit status 1")
				said := bytes.TrimPrefix(bytes.TrimSpace(complaint.Bytes()), []byte("sysv_client: "))
				err = errors.New(string(said))
			}
			_, answer, _ := bytes.Cut(out.Bytes(), []byte("Response: "))
			done <- result{string(bytes.TrimSuffix(answer, []byte("\n"))), err}
		}()
		return asking{cmd.Process.Pid, done}
	}
}

// clientTests are for the client in either language.
var clientTests = []struct {
	name string
	run  func(*testing.T, client)
}{
	{"it says who it is and how long it waits", testRequest},
	{"a response to anybody else's request is thrown away", testForeignResponse},
	{"an answer that says why there is none is an error", testStatus},
	{"without a queue there is no server", testNoQueue},
	{"it gives up when there is no answer in time", testNoAnswer},
	{"it tells when its server is dead", testDeadServer},
	{"it waits for room in the queue", testRoom},
	{"it gives up when there is no room in time", testNoRoom},
	{"what fits into no message or no queue is not sent", testTooLong},
	{"it ends with its queue, while it waits for an answer or for room", testRemoved},
	{"it does not use another user's queue", testAnothersQueue},
}

func TestClient(t *testing.T) {
	for _, c := range clientTests {
		t.Run(c.name, func(t *testing.T) { c.run(t, call) })
	}
}

func testRequest(t *testing.T, start client) {
	s := newStandIn(t)
	before := now()
	a := start(t, s.key, 100*time.Second, "HELLO")
	req := s.request()
	assert.Equal(t, a.pid, req.pid)
	ticks, ok := alive.Started(a.pid)
	assert.True(t, ok)
	assert.Equal(t, ticks, req.started)
	assert.GreaterOrEqual(t, req.deadline, before+uint64(100*time.Second))
	assert.LessOrEqual(t, req.deadline, now()+uint64(100*time.Second))
	assert.Equal(t, "HELLO", string(req.text))
	s.respond(req, response{nonce: req.nonce, text: []byte("ANSWER")})
	assert.Equal(t, result{"ANSWER", nil}, <-a.done)

	a = start(t, s.key, 100*time.Second, "HELLO")
	again := s.request()
	assert.NotEqual(t, req.nonce, again.nonce)
	s.respond(again, response{nonce: again.nonce})
	assert.Equal(t, result{"", nil}, <-a.done)
}

func testForeignResponse(t *testing.T, start client) {
	s := newStandIn(t)
	a := start(t, s.key, patient, "HELLO")
	req := s.request()
	s.respond(req, response{nonce: req.nonce + 1, text: []byte("WRONG")})
	s.respond(req, response{nonce: 0, status: 1, text: []byte("WRONG")})
	require.NoError(t, s.q.Send(ResponseType(req.pid), []byte("WRONG"), 0))
	s.respond(req, response{nonce: req.nonce, text: []byte("RIGHT")})
	assert.Equal(t, result{"RIGHT", nil}, <-a.done)
}

func testStatus(t *testing.T, start client) {
	s := newStandIn(t)
	a := start(t, s.key, patient, "HELLO")
	req := s.request()
	s.respond(req, response{nonce: req.nonce, status: 1, text: []byte("not today")})
	r := <-a.done
	assert.EqualError(t, r.err, "error: not today")
	assert.Empty(t, r.answer)
}

func testNoQueue(t *testing.T, start client) {
	key := newKey(t)
	r := <-start(t, key, patient, "HELLO").done
	assert.EqualError(t, r.err, "key "+key.String()+": there is no queue, so no server is running")
}

func testNoAnswer(t *testing.T, start client) {
	s := newStandIn(t)
	r := <-start(t, s.key, 50*time.Millisecond, "HELLO").done
	assert.EqualError(t, r.err, "key "+s.key.String()+": no answer within 0.05 s")
	s.request()
	// Responses to others do not give it more time.
	a := start(t, s.key, 500*time.Millisecond, "HELLO")
	req := s.request()
	for {
		select {
		case r := <-a.done:
			assert.EqualError(t, r.err, "key "+s.key.String()+": no answer within 0.5 s")
			return
		default:
			err := s.q.Send(ResponseType(a.pid), (&response{nonce: req.nonce + 1}).append(nil), sysvmq.NoWait)
			if !errors.Is(err, unix.EAGAIN) {
				require.NoError(t, err)
			}
		}
	}
}

func testDeadServer(t *testing.T, start client) {
	s := newStandIn(t)
	require.NoError(t, os.WriteFile(lockPath(s.key), []byte("4711 7\n"), 0o600))
	defer os.Remove(lockPath(s.key))
	r := <-start(t, s.key, 50*time.Millisecond, "HELLO").done
	assert.EqualError(t, r.err, "key "+s.key.String()+": no answer within 0.05 s, its server (process 4711) is dead")

	l, err := acquire(s.key)
	require.NoError(t, err)
	r = <-start(t, s.key, 50*time.Millisecond, "HELLO").done
	assert.EqualError(t, r.err, "key "+s.key.String()+": no answer within 0.05 s")
	require.NoError(t, l.release())
}

func testRoom(t *testing.T, start client) {
	s := newStandIn(t)
	filled := fill(t, s.q, dead(), never)
	a := start(t, s.key, patient, "HELLO")
	for range filled {
		_, _, err := s.q.Receive(make([]byte, 2000), 1, sysvmq.Except)
		require.NoError(t, err)
	}
	req := s.request()
	s.respond(req, response{nonce: req.nonce, text: []byte("ANSWER")})
	assert.Equal(t, result{"ANSWER", nil}, <-a.done)
}

func testNoRoom(t *testing.T, start client) {
	s := newStandIn(t)
	fill(t, s.q, dead(), never)
	r := <-start(t, s.key, 50*time.Millisecond, "HELLO").done
	assert.EqualError(t, r.err, "key "+s.key.String()+": no room in the queue within 0.05 s")
}

func testTooLong(t *testing.T, start client) {
	s := newStandIn(t)
	info, err := sysvmq.ReadInfo()
	require.NoError(t, err)
	long := string(bytes.Repeat([]byte("x"), info.MaxMessage-requestHead+1))
	r := <-start(t, s.key, patient, long).done
	assert.EqualError(t, r.err, fmt.Sprintf("key %s: the text has %d bytes, too long: "+
		"a message (msgmax) holds %d, and the request's head takes %d", s.key, len(long), info.MaxMessage, requestHead))

	a := start(t, s.key, patient, long[1:])
	req := s.request()
	assert.Equal(t, long[1:], string(req.text))
	s.respond(req, response{nonce: req.nonce})
	assert.NoError(t, (<-a.done).err)

	st, err := s.q.Stat()
	require.NoError(t, err)
	st.MaxBytes = 100
	require.NoError(t, s.q.Set(st))
	r = <-start(t, s.key, math.MaxInt32*time.Second, long[:69]).done
	assert.EqualError(t, r.err, fmt.Sprintf("key %s: the text has 69 bytes, too long: "+
		"the queue (msg_qbytes) holds 100, and the request's head takes %d", s.key, requestHead))
	st, err = s.q.Stat()
	require.NoError(t, err)
	assert.Zero(t, st.Messages)
}

func testRemoved(t *testing.T, start client) {
	for _, full := range []bool{false, true} {
		s := newStandIn(t)
		if full {
			fill(t, s.q, dead(), never)
		}
		a := start(t, s.key, 1000*time.Second, "HELLO")
		if full {
			require.Eventually(t, func() bool { return asleepIn(a.pid, "msgsnd") }, patient, time.Millisecond)
		} else {
			s.request()
		}
		require.NoError(t, s.q.Remove())
		r := <-a.done
		assert.EqualError(t, r.err, "key "+s.key.String()+": the queue has been removed: its server has ended")
	}
}

// asleepIn says whether a thread of the process is in the system call.
func asleepIn(pid int, call string) bool {
	number := map[string]int{"msgsnd": unix.SYS_MSGSND, "msgrcv": unix.SYS_MSGRCV}[call]
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, task := range tasks {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/syscall", pid, task.Name()))
		if bytes.HasPrefix(line, fmt.Appendf(nil, "%d ", number)) {
			return true
		}
	}
	return false
}

func testAnothersQueue(t *testing.T, start client) {
	s := newStandIn(t)
	st, err := s.q.Stat()
	require.NoError(t, err)
	st.UID, st.Mode = os.Geteuid()+1, 0o666
	require.NoError(t, s.q.Set(st))
	r := <-start(t, s.key, patient, "HELLO").done
	assert.EqualError(t, r.err, fmt.Sprintf("key %s: the queue (msqid %d) is another user's, with uid %d", s.key, s.q.ID(), st.UID))
}

func TestWhatADeadPredecessorWasSentIsThrownAway(t *testing.T) {
	s := newStandIn(t) // no server yet: for a moment it may have some of them in its hands
	for range 3 {
		old := response{nonce: 7, deadline: never, text: []byte("OLD")}
		require.NoError(t, s.q.Send(int64(os.Getpid()), old.append(nil), 0))
	}
	c := dial(t, s.key)
	_, _, err := s.q.Receive(make([]byte, 100), int64(os.Getpid()), sysvmq.NoWait)
	require.ErrorIs(t, err, unix.ENOMSG)
	serve(t, s.key, true)
	answer, err := ask(c, "HELLO")
	require.NoError(t, err)
	assert.Equal(t, "HELLO_PROCESSED", answer)
}

func TestTheClientsContext(t *testing.T) {
	s := newStandIn(t)
	for _, full := range []bool{false, true} {
		if full {
			fill(t, s.q, dead(), never)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		c, err := Dial(ctx, s.key)
		require.NoError(t, err)
		defer c.Close()
		c.Timeout = time.Hour
		enough := errors.New("enough")
		time.AfterFunc(10*time.Millisecond, func() { cancel(enough) })
		_, err = ask(c, "HELLO")
		assert.Equal(t, enough, err)
	}
}

func TestAClientThatGaveUpCanAskAgain(t *testing.T) {
	s := newStandIn(t)
	c := dial(t, s.key)
	for _, timeout := range []time.Duration{10 * time.Millisecond, time.Hour, 10 * time.Millisecond, 20 * time.Millisecond} {
		c.Timeout = timeout
		begin := time.Now()
		require.NoError(t, c.Send([]byte("HELLO")))
		req := s.request()
		if timeout == time.Hour {
			s.respond(req, response{nonce: req.nonce, text: []byte("ANSWER")})
			answer, err := c.Receive()
			require.NoError(t, err)
			assert.Equal(t, "ANSWER", string(answer))
			continue
		}
		_, err := c.Receive()
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.GreaterOrEqual(t, time.Since(begin), timeout)
	}
}

func TestADeadlineCanBePutOffAndBroughtForward(t *testing.T) {
	d := deadline{parent: t.Context()}
	defer d.close()
	ended := func(ctx context.Context) bool {
		select {
		case <-ctx.Done():
			return true
		case <-time.After(patient):
			return false
		}
	}
	first := d.until(time.Now().Add(2 * time.Second))
	late := time.Now().Add(2200 * time.Millisecond)
	assert.Same(t, first, d.until(late), "put off")
	require.True(t, ended(first))
	assert.False(t, time.Now().Before(late))
	assert.Equal(t, context.DeadlineExceeded, context.Cause(first))

	second := d.until(time.Now().Add(time.Hour))
	assert.NoError(t, second.Err())
	assert.Same(t, second, d.until(time.Now().Add(time.Millisecond)), "brought forward")
	require.True(t, ended(second))
}

func TestTimeoutsAreDeadlineErrors(t *testing.T) {
	s := newStandIn(t)
	c := dial(t, s.key)
	c.Timeout = time.Millisecond
	_, err := ask(c, "HELLO")
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	fill(t, s.q, dead(), never)
	assert.ErrorIs(t, c.Send([]byte("HELLO")), os.ErrDeadlineExceeded)
}
