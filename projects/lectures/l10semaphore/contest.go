package l10semaphore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"unpipc/gobind/pthread"
)

// ErrFailed is in the error of a semaphore that did not do what it is for.
var ErrFailed = errors.New("FAIL")

// Contend lets threads get and put a unit so many times each and counts how many have one.
func (s *Semaphore) Contend(ctx context.Context, threads, rounds int) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	all := make([]*pthread.Thread, threads)
	for i := range all {
		all[i] = pthread.Go(func() {
			for range rounds {
				if err := s.round(ctx); err != nil {
					end(err)
					return
				}
			}
		})
	}
	for _, t := range all {
		t.Join()
	}
	return context.Cause(ctx)
}

func (s *Semaphore) round(ctx context.Context) error {
	if err := s.Get(ctx); err != nil {
		return err
	}
	n := atomic.AddInt32(&s.Inside, 1)
	for most := atomic.LoadInt32(&s.Most); n > most && !atomic.CompareAndSwapInt32(&s.Most, most, n); {
		most = atomic.LoadInt32(&s.Most)
	}
	runtime.Gosched()
	atomic.AddInt32(&s.Inside, -1)
	return s.Put()
}

// Open tells those who join that everything has been made, and waits for so many of them.
func (s *Semaphore) Open(ctx context.Context, processes int) error {
	atomic.StoreInt32(&s.Ready, 1)
	return until(ctx, func() bool { return int(atomic.LoadInt32(&s.Arrived)) >= processes })
}

// Join waits for Open and announces this process.
func (s *Semaphore) Join(ctx context.Context) error {
	if err := until(ctx, func() bool { return atomic.LoadInt32(&s.Ready) == 1 }); err != nil {
		return err
	}
	atomic.AddInt32(&s.Joined, 1)
	atomic.AddInt32(&s.Arrived, 1)
	return nil
}

// Leave is the end of Join.
func (s *Semaphore) Leave() { atomic.AddInt32(&s.Joined, -1) }

// Verify waits for those who have joined and looks at what came of it. It returns how
// many had a unit at once.
func (s *Semaphore) Verify(ctx context.Context) (int, error) {
	if err := until(ctx, func() bool { return atomic.LoadInt32(&s.Joined) == 0 }); err != nil {
		return 0, err
	}
	value, err := s.Value()
	most := int(atomic.LoadInt32(&s.Most))
	if err == nil && (most > int(s.Initial) || value != int(s.Initial)) {
		err = fmt.Errorf("of %d units %d were had at once, and %d are left: %w", s.Initial, most, value, ErrFailed)
	}
	return most, err
}

func until(ctx context.Context, done func() bool) error {
	for !done() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}
