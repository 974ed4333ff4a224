package sunrpc

import (
	"context"
	"net"
	"sync"
)

// Pool is a [Caller] that makes several calls at a time, each over a connection of its
// own, and replaces connections that are broken.
type Pool struct {
	dial  func(context.Context) (*Client, error)
	slots chan struct{} // a token for each connection in use

	mu     sync.Mutex
	idle   []*Client // the one used last is the next
	closed bool
}

// NewPool makes a pool of at most size connections, each dialled when it is needed.
func NewPool(size int, dial func(context.Context) (*Client, error)) *Pool {
	return &Pool{dial: dial, slots: make(chan struct{}, max(size, 1))}
}

// Call is like [Client.Call], over a connection that nobody else uses now; it sleeps until
// there is one. A connection that the server has closed meanwhile is not used. A call that
// failed is not made again: the server may have done it. Errors also: those of dialling,
// net.ErrClosed.
func (p *Pool) Call(ctx context.Context, stub func(Handle) Status) error {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-p.slots }()
	c, err := p.take(ctx)
	if err != nil {
		return err
	}
	err = c.Call(ctx, stub)
	p.put(c)
	return err
}

func (p *Pool) take(ctx context.Context) (*Client, error) {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, net.ErrClosed
		}
		last := len(p.idle) - 1
		if last < 0 {
			p.mu.Unlock()
			return p.dial(ctx)
		}
		c := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		if !c.stale() {
			return c, nil
		}
		_ = c.Close()
	}
}

func (p *Pool) put(c *Client) {
	p.mu.Lock()
	keep := !p.closed && !c.ended.Load()
	if keep {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		_ = c.Close()
	}
}

// Close closes what is idle, and the rest as its calls end. Later calls fail with
// net.ErrClosed.
func (p *Pool) Close() error {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, c := range idle {
		_ = c.Close()
	}
	return nil
}
