package p02fifo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
	"unpipc/gobind/pipe"
)

// DefaultTimeout is how long a client waits for an answer.
const DefaultTimeout = 5 * time.Second

// resendAfter is when a client sends its request a second time: the first may
// have been spoilt by somebody's half line. Calculating twice does no harm.
const resendAfter = time.Second

// Why a client gets no answer.
var (
	ErrNoServer = errors.New("no server is listening")
	ErrGone     = errors.New("the server is gone")
	errBusy     = errors.New("in use by another client with this pid")
)

// Client asks the server at one FIFO. A process has at most one at a FIFO, as its
// pid names where replies go. It is for one goroutine at a time.
type Client struct {
	// Timeout is how long [Client.Calculate] waits.
	Timeout time.Duration

	pid    int
	path   string // the server's FIFO
	server *pipe.Writer
	reply  *pipe.Reader
	waiter *waiter
	rest   []byte // read behind the last answer
	resent bool   // an answer may still come twice
}

// Dial makes the FIFO for replies and opens the server's. ctx ends every
// [Client.Calculate], too.
//
// Errors name the path: [ErrNoServer]; another when the name of the FIFO for
// replies is taken; *fs.PathError of mkfifo and open.
func Dial(ctx context.Context, path string) (*Client, error) {
	server, err := fifo.OpenWriter(context.Background(), path, unix.O_NONBLOCK)
	switch {
	case errors.Is(err, unix.ENXIO), errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: %w", path, ErrNoServer)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ELOOP):
		return nil, fmt.Errorf("%s: %w", path, errNotFIFO)
	case err != nil:
		return nil, err
	}
	pid := os.Getpid()
	reply, err := makeReply(ReplyPath(path, pid))
	if err != nil {
		_ = server.Close()
		return nil, err
	}
	c := &Client{Timeout: DefaultTimeout, pid: pid, path: path, server: server, reply: reply}
	// That the server's FIFO has lost its reader (POLLERR) is reported unasked.
	c.waiter, err = newWaiter(ctx, unix.PollFd{Fd: int32(reply.Fd()), Events: unix.POLLIN},
		unix.PollFd{Fd: int32(server.Fd())})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// makeReply makes and opens the FIFO for replies. What an earlier process with
// this pid left is replaced. It is opened for writing too: otherwise poll(2)
// reports a hangup for ever after the first reply, whose writer has gone.
func makeReply(path string) (*pipe.Reader, error) {
	for {
		err := fifo.Make(path, 0o600)
		if err == nil {
			break
		} else if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if err := abandoned(path); errors.Is(err, errAlive) {
			return nil, fmt.Errorf("%s: %w", path, errBusy)
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	r, err := fifo.OpenReadWriter(path, unix.O_NONBLOCK)
	if err != nil {
		_ = os.Remove(path)
	}
	return r, err
}

// Close removes the FIFO for replies.
func (c *Client) Close() error {
	if c.waiter != nil {
		c.waiter.close()
	}
	return errors.Join(os.Remove(ReplyPath(c.path, c.pid)), c.reply.Close(), c.server.Close())
}

// Calculate sends one operation and returns the server's answer.
//
// Errors: [CalcError] when the answer is one; [ErrGone] when the server ends
// meanwhile; os.ErrDeadlineExceeded after Timeout; the cause of the client's
// context; what [Request] says of the operation.
func (c *Client) Calculate(operation string) (string, error) {
	request, err := Request(c.pid, operation)
	if err != nil {
		return "", err
	}
	if err := c.skipOldAnswers(); err != nil {
		return "", err
	}
	answer, err := c.exchange(request, "")
	if why, ok := strings.CutPrefix(answer, "error: "); ok {
		return "", CalcError(why)
	}
	return answer, err
}

// skipOldAnswers is for a request that was sent twice and may be answered twice.
// Answers come in the order of the requests: what comes before that to a number
// nobody else asks for is old.
func (c *Client) skipOldAnswers() error {
	for c.resent {
		c.resent = false
		mark := strconv.FormatInt(rand.Int64(), 10)
		request, err := Request(c.pid, mark)
		if err != nil {
			return err
		}
		if _, err := c.exchange(request, mark); err != nil {
			return err
		}
	}
	return nil
}

// exchange sends a request and takes answers until the wanted one; "" is any.
func (c *Client) exchange(request []byte, wanted string) (string, error) {
	now := time.Now()
	giveUp, resend := now.Add(c.Timeout), now.Add(resendAfter)
	reply, server := &c.waiter.fds[0], &c.waiter.fds[1]
	for unsent := true; ; {
		if unsent {
			_, err := c.server.Write(request)
			switch {
			case err == nil:
				unsent = false
			case errors.Is(err, unix.EPIPE):
				return "", fmt.Errorf("%s: %w", c.path, ErrGone)
			case !errors.Is(err, unix.EAGAIN):
				return "", fmt.Errorf("%s: %w", c.path, err)
			}
		}
		until := giveUp
		server.Events = unix.POLLOUT
		if !unsent {
			server.Events = 0
			if !c.resent && resend.Before(giveUp) {
				until = resend
			}
		}
		if err := c.waiter.wait(until); err != nil {
			return "", err
		}
		if reply.Revents&unix.POLLIN != 0 {
			if err := c.read(); err != nil {
				return "", err
			}
			for {
				answer, err := c.next()
				if err == errNone {
					break
				}
				if err != nil || wanted == "" || answer == wanted {
					return answer, err
				}
			}
			continue
		}
		if server.Revents&unix.POLLERR != 0 {
			return "", fmt.Errorf("%s: %w", c.path, ErrGone)
		}
		switch now = time.Now(); {
		case !now.Before(giveUp):
			return "", noAnswer{c.path, c.Timeout}
		case !unsent && !c.resent && !now.Before(resend):
			unsent, c.resent = true, true
		}
	}
}

// read takes what is in the FIFO for replies.
func (c *Client) read() error {
	c.rest = slices.Grow(c.rest, MaxRequestBytes)
	n, err := c.reply.Read(c.rest[len(c.rest):cap(c.rest)])
	c.rest = c.rest[:len(c.rest)+n]
	if errors.Is(err, unix.EAGAIN) {
		return nil
	}
	return err
}

// next is the first answer that was read and not yet taken, or errNone.
func (c *Client) next() (string, error) {
	line, behind, found := bytes.Cut(c.rest, []byte("\n"))
	if len(line) >= MaxRequestBytes {
		return "", fmt.Errorf("%s: not an answer: no newline", ReplyPath(c.path, c.pid))
	}
	if !found {
		return "", errNone
	}
	answer := string(line)
	c.rest = c.rest[:copy(c.rest, behind)]
	return answer, nil
}

var errNone = errors.New("no answer yet")

// noAnswer is os.ErrDeadlineExceeded with what was waited for.
type noAnswer struct {
	path    string
	timeout time.Duration
}

func (e noAnswer) Error() string {
	return fmt.Sprintf("%s: no answer within %g s", e.path, e.timeout.Seconds())
}

func (e noAnswer) Unwrap() error { return os.ErrDeadlineExceeded }
