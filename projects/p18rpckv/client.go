package p18rpckv

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"unpipc/gobind/kvrpc"
	"unpipc/gobind/sunrpc"
)

// Errors of a [Client] besides a [kvrpc.Status]. ErrUnknown wraps what became of the last try.
var (
	ErrUnknown  = errors.New("outcome unknown")
	ErrNoServer = errors.New("no server answers")
)

// starting is how long a client goes on where no server answers: they may just be started.
const starting = 2 * time.Second

// pause is what lies between two rounds of tries.
const pause = 50 * time.Millisecond

// oneTry bounds a try with one server, which may hang. It is more than a server takes to
// find out that there is no majority.
const oneTry = 6 * time.Second

// Client calls the servers of a cluster: the one that answered last, and the others if that
// one does not. Writes have an order: they are made one at a time.
type Client struct {
	addrs []string
	id    [16]byte

	mu       sync.Mutex // of writes
	sequence uint64

	use   sync.Mutex // of what follows
	last  int        // index of the server that has answered
	pools []*sunrpc.Pool
}

// NewClient makes a client of the servers at the addresses. It connects when it has to.
func NewClient(addrs []string) *Client {
	c := &Client{addrs: addrs, pools: make([]*sunrpc.Pool, len(addrs))}
	_, _ = rand.Read(c.id[:]) // never fails
	for i, addr := range addrs {
		c.pools[i] = sunrpc.NewPool(4, func(ctx context.Context) (*sunrpc.Client, error) {
			// The context bounds the calls.
			return sunrpc.Dial(ctx, "tcp", addr, kvrpc.Program, sunrpc.Options{Timeout: time.Hour})
		})
	}
	return c
}

// Close closes the connections.
func (c *Client) Close() error {
	var all error
	for _, pool := range c.pools {
		all = errors.Join(all, pool.Close())
	}
	return all
}

// Put puts a value at a key. Until ctx ends it tries again where the outcome is unknown.
func (c *Client) Put(ctx context.Context, key, value []byte) (kvrpc.Written, error) {
	return write(c, ctx, func(ctx context.Context, s *kvrpc.Client, id kvrpc.WriteID) (kvrpc.Written, error) {
		return s.Put(ctx, id, key, value)
	})
}

// Delete takes a key out. Error: kvrpc.NotFound.
func (c *Client) Delete(ctx context.Context, key []byte) (kvrpc.Written, error) {
	return write(c, ctx, func(ctx context.Context, s *kvrpc.Client, id kvrpc.WriteID) (kvrpc.Written, error) {
		return s.Delete(ctx, id, key)
	})
}

// CompareAndSwap puts a value at a key where another one is, or none. Error: kvrpc.Mismatch.
func (c *Client) CompareAndSwap(ctx context.Context, key []byte, expected kvrpc.Value, value []byte) (kvrpc.Written, error) {
	return write(c, ctx, func(ctx context.Context, s *kvrpc.Client, id kvrpc.WriteID) (kvrpc.Written, error) {
		return s.CompareAndSwap(ctx, id, key, expected, value)
	})
}

// Get reads a key. Error: kvrpc.NotFound.
func (c *Client) Get(ctx context.Context, key []byte, how kvrpc.Read) (kvrpc.Found, error) {
	return call(c, ctx, oneTry, true, func(ctx context.Context, s *kvrpc.Client) (kvrpc.Found, error) {
		return s.Get(ctx, key, how)
	})
}

// List is a page of the keys that begin with prefix and come after another.
func (c *Client) List(ctx context.Context, prefix, after []byte, how kvrpc.Read) (kvrpc.Listed, error) {
	return call(c, ctx, oneTry, true, func(ctx context.Context, s *kvrpc.Client) (kvrpc.Listed, error) {
		return s.List(ctx, prefix, after, how)
	})
}

// Watch waits for changes after a revision, as long as wait at most. Error: kvrpc.Compacted.
func (c *Client) Watch(ctx context.Context, prefix []byte, after uint64, wait time.Duration) (kvrpc.Watched, error) {
	return call(c, ctx, oneTry+wait, true, func(ctx context.Context, s *kvrpc.Client) (kvrpc.Watched, error) {
		return s.Watch(ctx, prefix, after, wait)
	})
}

// State is what the server that answers thinks.
func (c *Client) State(ctx context.Context) (kvrpc.State, error) {
	return call(c, ctx, oneTry, true, func(ctx context.Context, s *kvrpc.Client) (kvrpc.State, error) { return s.State(ctx) })
}

// SetMember adds a server to the cluster, or takes one out where addr is "". Error:
// kvrpc.Conflict.
func (c *Client) SetMember(ctx context.Context, id, addr string) error {
	_, err := call(c, ctx, oneTry, false, func(ctx context.Context, s *kvrpc.Client) (struct{}, error) {
		return struct{}{}, s.SetMember(ctx, id, addr, false)
	})
	return err
}

// write gives a write its number, which stays the same however often it is sent.
func write(c *Client, ctx context.Context, do func(context.Context, *kvrpc.Client, kvrpc.WriteID) (kvrpc.Written, error)) (kvrpc.Written, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sequence++
	id := kvrpc.WriteID{Client: c.id, Sequence: c.sequence}
	return call(c, ctx, oneTry, false, func(ctx context.Context, s *kvrpc.Client) (kvrpc.Written, error) { return do(ctx, s, id) })
}

// call makes a call at one server after the other until one gives a result or ctx ends.
// Without a majority it goes on too, for an election may be under way, while there is time
// for whole tries: one that is cut off would make the outcome unknown. Where nobody answers
// at all it ends soon. Only a call that is not harmless can end with an outcome that is
// unknown.
func call[T any](c *Client, ctx context.Context, patience time.Duration, harmless bool, do func(context.Context, *kvrpc.Client) (T, error)) (T, error) {
	var none T
	var maybe error // why the outcome is unknown
	var refusal error
	whys := make([]string, len(c.addrs))
	begin := time.Now()
	for {
		answered := false
		for range c.addrs {
			i := c.server()
			try, cancel := context.WithTimeout(ctx, patience)
			one := attempt{Caller: c.pools[i]}
			got, err := do(try, kvrpc.NewClient(&one))
			cancel()
			var status kvrpc.Status
			switch {
			case err == nil:
				return got, nil
			case !errors.As(err, &status):
				if !harmless && one.sent {
					maybe = errors.New(c.addrs[i] + ": " + Reason(err))
				}
				if ctx.Err() == nil || whys[i] == "" {
					whys[i] = c.addrs[i] + ": " + Reason(err)
				}
			case status == kvrpc.Unknown:
				maybe = fmt.Errorf("%s: %w", c.addrs[i], status)
				answered = true
			case status == kvrpc.NoQuorum:
				answered, refusal = true, status
			case status == kvrpc.Conflict && maybe != nil:
				return none, fmt.Errorf("%w: %w", ErrUnknown, maybe) // maybe by an earlier try of ours
			default:
				return none, status
			}
			c.next(i)
			if ctx.Err() != nil {
				break
			}
		}
		ended := ctx.Err() != nil
		deadline, bounded := ctx.Deadline()
		switch {
		case ended && maybe != nil:
			return none, fmt.Errorf("%w: %w", ErrUnknown, maybe)
		case refusal != nil && maybe == nil && (ended || bounded && time.Until(deadline) < patience):
			if silent := join(whys); silent != "" {
				return none, fmt.Errorf("%w (%s)", refusal, silent)
			}
			return none, refusal
		case ended, maybe == nil && refusal == nil && !answered && time.Since(begin) > starting:
			return none, fmt.Errorf("%w: %s", ErrNoServer, join(whys))
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// join leaves out servers of which there is nothing to say.
func join(whys []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(whys), func(why string) bool { return why == "" }), "; ")
}

func (c *Client) server() int {
	c.use.Lock()
	defer c.use.Unlock()
	return c.last
}

// next goes on to the next server, unless another call has.
func (c *Client) next(from int) {
	c.use.Lock()
	defer c.use.Unlock()
	if c.last == from {
		c.last = (from + 1) % len(c.addrs)
	}
}

// attempt is a Caller that knows whether a call was made.
type attempt struct {
	sunrpc.Caller
	sent bool
}

func (a *attempt) Call(ctx context.Context, stub func(sunrpc.Handle) sunrpc.Status) error {
	return a.Caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		a.sent = true
		return stub(h)
	})
}

// Reason is an error of a call without what everybody knows of it: "connection refused".
func Reason(err error) string {
	var errno syscall.Errno
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &errno):
		return errno.Error()
	}
	return err.Error()
}
