package p02fifo

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
	"unpipc/gobind/pipe"
)

// standIn is a server's FIFO that the test reads itself.
type standIn struct {
	path  string
	pid   int // who asked last
	fifo  *pipe.Reader
	lines *bufio.Reader
}

func standInServer(t *testing.T) *standIn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "calc")
	require.NoError(t, fifo.Make(path, 0o600))
	r, err := fifo.OpenReadWriter(path, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return &standIn{path: path, fifo: r, lines: bufio.NewReader(reading{r})}
}

// operation is what the next request asks.
func (s *standIn) operation() string {
	line, err := s.lines.ReadString('\n')
	if err != nil {
		return err.Error()
	}
	pid, operation, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
	s.pid, _ = strconv.Atoi(pid)
	return operation
}

// reply writes to the FIFO of the client that asked last.
func (s *standIn) reply(text string) error {
	w, err := fifo.OpenWriter(context.Background(), ReplyPath(s.path, s.pid), unix.O_NONBLOCK)
	if err != nil {
		return err
	}
	_, err = w.Write([]byte(text))
	return errors.Join(err, w.Close())
}

type result struct {
	answer string
	err    error
}

// calculate asks in the background.
func calculate(c *Client, operation string) <-chan result {
	done := make(chan result, 1)
	go func() {
		answer, err := c.Calculate(operation)
		done <- result{answer, err}
	}()
	return done
}

func TestClientAgainstServer(t *testing.T) {
	path, _ := serve(t, false)
	c := dial(t, path)
	answers(t, c)
	_, err := c.Calculate("1 / 0")
	assert.Equal(t, ErrDivisionByZero, err)
	_, err = c.Calculate("(2")
	assert.Equal(t, CalcError("unexpected end at 3"), err)
	_, err = c.Calculate(strings.Repeat("1", MaxRequestBytes))
	assert.ErrorContains(t, err, "at most 4096")
	answers(t, c)

	_, err = Dial(context.Background(), path)
	assert.ErrorIs(t, err, errBusy, "one client a process")
	answers(t, c)
}

func TestClientWithoutServer(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "calc")
	_, err := Dial(context.Background(), path)
	assert.EqualError(t, err, path+": no server is listening")
	require.NoError(t, fifo.Make(path, 0o600))
	_, err = Dial(context.Background(), path)
	assert.ErrorIs(t, err, ErrNoServer)
	_, err = Dial(context.Background(), dir)
	assert.EqualError(t, err, dir+": not a FIFO")
	assert.NoFileExists(t, ReplyPath(path, os.Getpid()))
}

func TestClientGivesUp(t *testing.T) {
	s := standInServer(t)
	c := dial(t, s.path)
	c.Timeout = 10 * time.Millisecond
	_, err := c.Calculate("5 + 3")
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	assert.EqualError(t, err, s.path+": no answer within 0.01 s")
}

func TestClientOutlivesItsServer(t *testing.T) {
	s := standInServer(t)
	c := dial(t, s.path)
	c.Timeout = time.Hour
	done := calculate(c, "5 + 3")
	assert.Equal(t, "5 + 3", s.operation())
	require.NoError(t, s.fifo.Close())
	assert.ErrorIs(t, (<-done).err, ErrGone, "while it waits")
	_, err := c.Calculate("5 + 3")
	assert.ErrorIs(t, err, ErrGone, "before it asks")
}

func TestClientContext(t *testing.T) {
	s := standInServer(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	c, err := Dial(ctx, s.path)
	require.NoError(t, err)
	c.Timeout = time.Hour
	done := calculate(c, "5 + 3")
	assert.Equal(t, "5 + 3", s.operation())
	enough := errors.New("enough")
	cancel(enough)
	assert.Equal(t, enough, (<-done).err)
	require.NoError(t, c.Close())
	assert.NoFileExists(t, ReplyPath(s.path, os.Getpid()))
}

func TestLostRequestIsSentAgain(t *testing.T) {
	s := standInServer(t)
	c := dial(t, s.path)
	done := calculate(c, "5 + 3")
	assert.Equal(t, "5 + 3", s.operation(), "the first time")
	assert.Equal(t, "5 + 3", s.operation(), "the second time")
	require.NoError(t, s.reply("8\n"))
	assert.Equal(t, result{"8", nil}, <-done)
}

func TestAnswerThatComesTwice(t *testing.T) {
	s := standInServer(t)
	c := dial(t, s.path)
	done := calculate(c, "5 + 3")
	s.operation()
	s.operation()
	require.NoError(t, s.reply("8\n"))
	assert.Equal(t, result{"8", nil}, <-done)

	// The second answer comes when the client already asks something else.
	done = calculate(c, "10 * 4")
	mark := s.operation()
	require.NoError(t, s.reply("8\n"))
	require.NoError(t, s.reply(mark+"\n"))
	assert.Equal(t, "10 * 4", s.operation())
	require.NoError(t, s.reply("40\n"))
	assert.Equal(t, result{"40", nil}, <-done)
}

func TestFullServer(t *testing.T) {
	s := standInServer(t)
	c := dial(t, s.path)
	size, err := s.fifo.Capacity()
	require.NoError(t, err)
	filling := strings.Repeat("1:2\n", size/4)
	write(t, s.path, filling)
	done := calculate(c, "5 + 3")
	for range size / 4 {
		require.Equal(t, "2", s.operation())
	}
	assert.Equal(t, "5 + 3", s.operation(), "sent as soon as there is room")
	require.NoError(t, s.reply("8\n"))
	assert.Equal(t, result{"8", nil}, <-done)
}

func TestAnswerWithoutEnd(t *testing.T) {
	s := standInServer(t)
	c := dial(t, s.path)
	done := calculate(c, "5 + 3")
	s.operation()
	require.NoError(t, s.reply(strings.Repeat("8", MaxRequestBytes)))
	require.NoError(t, s.reply(strings.Repeat("8", MaxRequestBytes)))
	require.NoError(t, s.reply("\n"))
	assert.ErrorContains(t, (<-done).err, "not an answer")
}
