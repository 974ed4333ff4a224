package sunrpc

import (
	"slices"
	"sync"
	"sync/atomic"
)

// turn is a mutex whose wait a channel can end, first come, first served. Who need not wait
// does nothing but to change state: a channel that holds a token would be locked twice for
// each call.
type turn struct {
	state atomic.Uint32

	mu      sync.Mutex // held by whoever changes state from or to awaited
	waiting []chan struct{}
}

const (
	free uint32 = iota
	taken
	awaited // taken, and others wait
)

// take waits until it is the caller's turn. False: done was closed before.
func (t *turn) take(done <-chan struct{}) bool {
	return t.state.CompareAndSwap(free, taken) || t.wait(done)
}

func (t *turn) wait(done <-chan struct{}) bool {
	t.mu.Lock()
	for t.state.Load() != awaited {
		if t.state.CompareAndSwap(free, taken) {
			t.mu.Unlock()
			return true
		}
		t.state.CompareAndSwap(taken, awaited)
	}
	mine := make(chan struct{})
	t.waiting = append(t.waiting, mine)
	t.mu.Unlock()
	select {
	case <-mine:
		return true
	case <-done:
		return t.leave(mine)
	}
}

// leave is for who waits no more. True: it had become its turn.
func (t *turn) leave(mine chan struct{}) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.waiting, mine)
	if i < 0 {
		return true
	}
	t.waiting = slices.Delete(t.waiting, i, i+1)
	if len(t.waiting) == 0 {
		t.state.Store(taken)
	}
	return false
}

// pass gives the turn to the next one.
func (t *turn) pass() {
	if !t.state.CompareAndSwap(taken, free) {
		t.give()
	}
}

func (t *turn) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	// The last one that waited may have left.
	if t.state.CompareAndSwap(taken, free) {
		return
	}
	close(t.waiting[0])
	t.waiting = t.waiting[1:]
	if len(t.waiting) == 0 {
		t.state.Store(taken)
	}
}
