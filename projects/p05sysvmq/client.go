package p05sysvmq

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
	"unpipc/gobind/yield"
	"unpipc/projects/internal/alive"
)

// DefaultTimeout is how long a client waits for an answer.
const DefaultTimeout = 5 * time.Second

var (
	// ErrNoServer is in the error of [Dial] when the key has no queue.
	ErrNoServer = errors.New("there is no queue, so no server is running")
	// ErrTooLong is in the error of [Client.Send] for a text that fits into no message.
	ErrTooLong = errors.New("too long")

	errNoStart = errors.New("does not tell when this process was started")
)

// ServerError is an answer that says why there is none.
type ServerError string

func (e ServerError) Error() string { return "error: " + string(e) }

// timeoutError is an os.ErrDeadlineExceeded.
type timeoutError string

func (e timeoutError) Error() string        { return string(e) }
func (e timeoutError) Is(target error) bool { return target == os.ErrDeadlineExceeded }

// Client asks the server of one queue. A process asks one thing at a time, as its pid
// is the type of its responses: a newer request gives up the answer to an older one.
type Client struct {
	// Timeout is how long a request and its response may take together.
	Timeout time.Duration

	key      sysvmq.Key
	queue    *sysvmq.Queue
	self     request // what is the same in all requests, and the last one's nonce
	deadline deadline
	ctx      context.Context // until the deadline of the last request
	pace     yield.Pace
	data     []byte
	room     *sysvmq.Message
}

// Dial finds the key's queue and throws away what an earlier process with this pid
// was sent and did not take. ctx ends every Send and Receive, too.
// Errors: [ErrNoServer]; another for a queue of another user; *fs.PathError of msgget.
func Dial(ctx context.Context, key sysvmq.Key) (*Client, error) {
	q, err := sysvmq.Get(key, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("key %s: %w", key, ErrNoServer)
	} else if err != nil {
		return nil, err
	}
	c := &Client{
		Timeout: DefaultTimeout, key: key, queue: q,
		deadline: deadline{parent: ctx}, room: sysvmq.NewMessage(firstRoom),
	}
	st, err := q.Stat()
	if err == nil {
		err = belongs(key, st)
	}
	if err != nil {
		return nil, c.explained(err)
	}
	c.self.pid = os.Getpid()
	var ok bool
	if c.self.started, ok = alive.Started(c.self.pid); !ok {
		return nil, fmt.Errorf("/proc/%d/stat: %w", c.self.pid, errNoStart)
	}
	for err == nil {
		_, err = receive(context.Background(), q, &c.room, c.ResponseType(), sysvmq.NoWait)
	}
	if !errors.Is(err, unix.ENOMSG) {
		return nil, c.explained(err)
	}
	return c, nil
}

// Close ends what waits.
func (c *Client) Close() { c.deadline.close() }

// ResponseType is the type of this client's responses.
func (c *Client) ResponseType() int64 { return ResponseType(c.self.pid) }

// lookAfter requests a client looks whether Go's scheduler is to have its turn. With many
// clients it would cost more than their round trips if the scheduler took it.
const lookAfter = 4

// Send sends a request. It sleeps while the queue is full.
// Errors: [ErrTooLong]; [ErrRemoved]; os.ErrDeadlineExceeded after Timeout; the cause
// of the client's context.
func (c *Client) Send(text []byte) error {
	start := time.Now()
	c.pace.Step(lookAfter)
	c.ctx = c.deadline.until(start.Add(c.Timeout))
	c.self.nonce = rand.Uint64()
	c.self.deadline = now() + uint64(c.Timeout)
	c.self.text = text
	c.data = c.self.append(c.data[:0])
	err := c.queue.Send(RequestType, c.data, sysvmq.NoWait)
	if errors.Is(err, unix.EAGAIN) {
		if err := c.fits(); err != nil {
			return err
		}
		err = c.queue.SendContext(c.ctx, RequestType, c.data, 0)
	}
	if errors.Is(err, unix.EINVAL) { // of a queue that is gone, or of its size
		if info, infoErr := sysvmq.ReadInfo(); infoErr == nil && len(c.data) > info.MaxMessage {
			return c.tooLong("a message (msgmax)", info.MaxMessage)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return timeoutError(fmt.Sprintf("key %s: no room in the queue within %g s", c.key, c.Timeout.Seconds()))
	}
	return c.explained(err)
}

// fits is nil if the request would fit into the queue were it empty: msgsnd would
// sleep for ever.
func (c *Client) fits() error {
	st, err := c.queue.Stat()
	if err != nil {
		return c.explained(err)
	}
	if len(c.data) > st.MaxBytes {
		return c.tooLong("the queue (msg_qbytes)", st.MaxBytes)
	}
	return nil
}

func (c *Client) tooLong(what string, limit int) error {
	return fmt.Errorf("key %s: the text has %d bytes, %w: %s holds %d, and the request's head takes %d",
		c.key, len(c.self.text), ErrTooLong, what, limit, requestHead)
}

// Receive waits for the answer to the last request. The text is valid until the next
// call. A response to anybody else's request is thrown away.
// Errors: [ServerError]; [ErrRemoved]; os.ErrDeadlineExceeded after Timeout; the cause
// of the client's context.
func (c *Client) Receive() ([]byte, error) {
	for {
		data, err := receive(c.ctx, c.queue, &c.room, c.ResponseType(), 0)
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, c.noAnswer()
		} else if err != nil {
			return nil, c.explained(err)
		}
		r, ok := parseResponse(data)
		switch {
		case !ok || r.nonce != c.self.nonce:
			continue
		case r.status != 0:
			return nil, ServerError(r.text)
		}
		return r.text, nil
	}
}

// noAnswer is the error of a timeout, with what is known of the server.
func (c *Client) noAnswer() error {
	state := ""
	if last, alive, err := lastOwner(c.key); err == nil && !alive {
		state = fmt.Sprintf(", its server (process %d) is dead", last.pid)
	}
	return timeoutError(fmt.Sprintf("key %s: no answer within %g s%s", c.key, c.Timeout.Seconds(), state))
}

// explained is an error in the client's terms.
func (c *Client) explained(err error) error {
	switch {
	case err == nil:
		return nil
	case removed(err):
		return fmt.Errorf("key %s: %w: its server has ended", c.key, ErrRemoved)
	}
	return err
}
