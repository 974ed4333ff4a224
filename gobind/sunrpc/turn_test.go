package sunrpc

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestATurnIsOnesAtATimeWhoeverLeavesTheQueue(t *testing.T) {
	var queue turn
	var taken, left int // queue guards taken
	var mu sync.Mutex   // guards left
	var running sync.WaitGroup
	const goroutines, rounds = 8, 2000
	for range goroutines {
		running.Go(func() {
			for range rounds {
				done := make(chan struct{})
				go close(done)
				if queue.take(done) {
					taken++
					queue.pass()
				} else {
					mu.Lock()
					left++
					mu.Unlock()
				}
			}
		})
	}
	running.Wait()
	assert.Equal(t, goroutines*rounds, taken+left)
	assert.Equal(t, free, queue.state.Load())
	assert.Empty(t, queue.waiting)
}

func TestTurnsComeInTheOrderOfTheQueue(t *testing.T) {
	var queue turn
	queue.take(nil)
	var order []int // queue guards it
	var running sync.WaitGroup
	const waiters = 5
	for i := range waiters {
		running.Go(func() {
			queue.take(nil)
			defer queue.pass()
			order = append(order, i)
		})
		queued(&queue, i+1)
	}
	queue.pass()
	running.Wait()
	assert.Equal(t, []int{0, 1, 2, 3, 4}, order)
}

func TestWhoLeavesTheQueueDoesNotKeepTheTurnFromTheNext(t *testing.T) {
	var queue turn
	queue.take(nil)
	gone, done := make(chan bool), make(chan struct{})
	go func() { gone <- queue.take(done) }()
	queued(&queue, 1)
	next := make(chan bool)
	go func() { next <- queue.take(nil) }()
	queued(&queue, 2)
	close(done)
	assert.False(t, <-gone)
	queue.pass()
	assert.True(t, <-next)
	queue.pass()
	assert.Equal(t, free, queue.state.Load())
}

// queued returns when n wait.
func queued(q *turn, n int) {
	for {
		q.mu.Lock()
		waiting := len(q.waiting)
		q.mu.Unlock()
		if waiting >= n {
			return
		}
		runtime.Gosched()
	}
}
