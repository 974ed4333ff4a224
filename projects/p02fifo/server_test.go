package p02fifo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
	"unpipc/gobind/pipe"
)

// patient bounds the wait for what must happen.
const patient = 30 * time.Second

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

// server starts a server in a directory of its own, which ends with the test.
type server func(t *testing.T, quiet bool) (path string, log *logged)

// serve is the server of this package in this process.
func serve(t *testing.T, quiet bool) (path string, log *logged) {
	return serveChanged(t, quiet, func(*Server) {})
}

func serveChanged(t *testing.T, quiet bool, change func(*Server)) (path string, log *logged) {
	t.Helper()
	path, log = filepath.Join(t.TempDir(), "calc"), &logged{}
	s, err := Listen(path, log, quiet)
	require.NoError(t, err)
	change(s)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-served)
		assert.NoError(t, s.Close())
		assert.NoFileExists(t, path)
	})
	return path, log
}

// serverTests are for the server in either language: they ask for the same log.
var serverTests = []struct {
	name string
	run  func(*testing.T, server)
}{
	{"it logs as in the guide", testLog},
	{"a quiet one logs only trouble", testQuiet},
	{"nobody waits for a client that is late", testLateClient},
	{"late clients have a bound", testMoreLateClientsThanRoom},
	{"nobody waits for a client that does not read", testClientThatDoesNotRead},
	{"a pid that leads to no FIFO of a client changes nothing", testForgedPid},
	{"what is no request is refused", testRefusedLines},
}

func TestServer(t *testing.T) {
	for _, c := range serverTests {
		t.Run(c.name, func(t *testing.T) { c.run(t, serve) })
	}
}

// dial makes a client that is closed when the test ends.
func dial(t *testing.T, path string) *Client {
	t.Helper()
	c, err := Dial(context.Background(), path)
	require.NoError(t, err)
	c.Timeout = patient
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// answers says that the server at path still does its work.
func answers(t *testing.T, c *Client) {
	t.Helper()
	answer, err := c.Calculate("5 + 3")
	require.NoError(t, err)
	require.Equal(t, "8", answer)
}

// write is one write to a server's FIFO.
func write(t *testing.T, path, text string) {
	t.Helper()
	w, err := fifo.OpenWriter(context.Background(), path, unix.O_NONBLOCK)
	require.NoError(t, err)
	_, err = w.Write([]byte(text))
	require.NoError(t, errors.Join(err, w.Close()))
}

// made makes the FIFO of a client that nobody reads.
func made(t *testing.T, server string, pid int) string {
	t.Helper()
	path := ReplyPath(server, pid)
	require.NoError(t, fifo.Make(path, 0o600))
	return path
}

// open opens a FIFO for replies.
func open(t *testing.T, path string) *pipe.Reader {
	t.Helper()
	r, err := fifo.OpenReadWriter(path, 0)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	return r
}

// reading reads from a FIFO within a test's patience.
type reading struct{ *pipe.Reader }

func (r reading) Read(p []byte) (int, error) {
	ctx, stop := context.WithTimeout(context.Background(), patient)
	defer stop()
	return r.ReadContext(ctx, p)
}

// receive is what one read returns.
func receive(t *testing.T, r *pipe.Reader) string {
	t.Helper()
	text := make([]byte, 1<<16)
	n, err := reading{r}.Read(text)
	require.NoError(t, err)
	return string(text[:n])
}

func testLog(t *testing.T, serve server) {
	path, log := serve(t, false)
	c := dial(t, path)
	answers(t, c)
	log.await(t, "Sending")
	assert.Equal(t, fmt.Sprintf("Server listening on %[1]s...\n"+
		"Received: 5 + 3 from client %[2]d\n"+
		"Sending response: 8 to %[3]s\n", path, os.Getpid(), ReplyPath(path, os.Getpid())), log.String())
}

func testQuiet(t *testing.T, serve server) {
	path, log := serve(t, true)
	c := dial(t, path)
	answers(t, c)
	write(t, path, "nonsense\n")
	answers(t, c)
	log.await(t, "nonsense")
	assert.Equal(t, "Server listening on "+path+"...\nRefused: \"nonsense\": not pid:operation\n", log.String())
}

func testLateClient(t *testing.T, serve server) {
	path, log := serve(t, false)
	c := dial(t, path)

	// Both pids are nobody's on Linux, whose pids have 22 bits.
	late := made(t, path, 1<<30)
	write(t, path, "1073741824:1 + 1\n")
	write(t, path, "1073741824:2 + 2\n")
	answers(t, c)
	assert.NotContains(t, log.String(), "No reply", "others do not wait for a client that is late")

	assert.Equal(t, "2\n4\n", receive(t, open(t, late)), "its answers come in the order of its requests")
	log.await(t, "Sending response: 2 to "+late+"\nSending response: 4 to "+late+"\n")

	never := made(t, path, 1<<30+1)
	write(t, path, "1073741825:1 + 1\n")
	log.await(t, "No reply to "+never+": no reader\n")
	answers(t, c)
}

func testMoreLateClientsThanRoom(t *testing.T, serve server) {
	path, log := serve(t, false)
	c := dial(t, path)
	for i := range maxWaiting {
		made(t, path, 1<<30+i)
		write(t, path, fmt.Sprintf("%d:1\n", 1<<30+i))
	}
	last := made(t, path, 1<<30+maxWaiting)
	write(t, path, fmt.Sprintf("%d:1\n", 1<<30+maxWaiting))
	answers(t, c)
	log.await(t, "No reply to "+last+": no reader\n")
}

func testClientThatDoesNotRead(t *testing.T, serve server) {
	path, log := serve(t, false)
	c := dial(t, path)
	full := made(t, path, 1<<30)
	r := open(t, full)
	size, err := r.Capacity()
	require.NoError(t, err)
	w := pipe.NewWriter(r.Fd())
	_, err = w.Write(make([]byte, size))
	require.NoError(t, err)
	write(t, path, "1073741824:1 + 1\n")
	log.await(t, "No reply to "+full+": FIFO full\n")
	answers(t, c)
}

func testForgedPid(t *testing.T, serve server) {
	path, log := serve(t, false)
	theirs := filepath.Join(filepath.Dir(path), "theirs")
	require.NoError(t, fifo.Make(theirs, 0o600))
	r := open(t, theirs)

	file := ReplyPath(path, 1<<30+1)
	require.NoError(t, os.WriteFile(file, []byte("keep"), 0o600))
	write(t, path, "1073741825:1 + 1\n")
	log.await(t, "No reply to "+file+": not a FIFO\n")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "keep", string(text))

	link := ReplyPath(path, 1<<30+2)
	require.NoError(t, os.Symlink(theirs, link))
	write(t, path, "1073741826:1 + 1\n")
	log.await(t, "No reply to "+link+": not a FIFO\n")
	n, err := r.Buffered()
	require.NoError(t, err)
	assert.Zero(t, n, "a symbolic link is not followed")

	write(t, path, "1073741827:1 + 1\n")
	log.await(t, "No reply to "+ReplyPath(path, 1<<30+3)+": no such FIFO\n")
}

func TestAnotherUsersFIFO(t *testing.T) {
	// As if this server were another user's, who is not root.
	path, log := serveChanged(t, false, func(s *Server) { s.replies.uid = unix.Geteuid() + 1 })
	theirs := made(t, path, 1<<30)
	r := open(t, theirs)
	write(t, path, "1073741824:1 + 1\n")
	log.await(t, "No reply to "+theirs+": another user's FIFO\n")
	n, err := r.Buffered()
	require.NoError(t, err)
	assert.Zero(t, n)
}

func testRefusedLines(t *testing.T, serve server) {
	path, log := serve(t, false)
	c := dial(t, path)
	for text, want := range map[string]string{
		"\x1b[2J\n":   `Refused: "\x1b[2J": not pid:operation`,
		"1:2 +3:4\n":  `Refused: "1:2 +3:4": two requests in one line`,
		"../../x:1\n": `Refused: "../../x:1": not pid:operation`,
	} {
		write(t, path, text)
		log.await(t, want+"\n")
		answers(t, c)
	}
	// Half a line of which the server has seen the end.
	write(t, path, "1:2 +")
	require.Eventually(t, func() bool {
		r, err := fifo.OpenReadWriter(path, 0)
		require.NoError(t, err)
		n, err := r.Buffered()
		require.NoError(t, errors.Join(err, r.Close()))
		return n == 0
	}, patient, time.Millisecond)
	answers(t, c)
	log.await(t, "Refused: \"1:2 +\": no newline\n")
	for range 3 {
		write(t, path, strings.Repeat("1", MaxRequestBytes))
	}
	write(t, path, "\n")
	log.await(t, "Refused: a line longer than 4096 bytes\n")
	answers(t, c)
}

func TestListen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "calc")
	require.NoError(t, fifo.Make(path, 0o666))
	s, err := Listen(path, &logged{}, false)
	require.NoError(t, err, "a FIFO that nobody reads is taken over")
	st, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.ModeNamedPipe|0o600, st.Mode())

	_, err = Listen(path, &logged{}, false)
	assert.ErrorIs(t, err, ErrListening)
	assert.EqualError(t, err, path+": a server is already listening")

	require.NoError(t, os.Remove(path))
	require.NoError(t, fifo.Make(path, 0o600))
	require.NoError(t, s.Close())
	assert.FileExists(t, path, "what another put at the name stays")

	for _, name := range []string{"file", "dir/", "link"} {
		bad := filepath.Join(dir, name)
		switch name {
		case "file":
			require.NoError(t, os.WriteFile(bad, nil, 0o600))
		case "dir/":
			require.NoError(t, os.Mkdir(bad, 0o700))
		case "link":
			require.NoError(t, os.Symlink(path, bad))
		}
		_, err := Listen(bad, &logged{}, false)
		assert.EqualError(t, err, bad+": not a FIFO")
	}
	_, err = Listen(filepath.Join(dir, "nowhere", "calc"), &logged{}, false)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

type brokenLog struct{ after int }

func (b *brokenLog) Write(p []byte) (int, error) {
	if b.after--; b.after < 0 {
		return 0, unix.EPIPE
	}
	return len(p), nil
}

func TestServerStopsWithItsLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calc")
	s, err := Listen(path, &brokenLog{after: 1}, false)
	require.NoError(t, err)
	write(t, path, "1073741824:1\n")
	assert.ErrorIs(t, s.Serve(context.Background()), unix.EPIPE)
	require.NoError(t, s.Close())
}
