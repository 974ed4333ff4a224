package posixsem_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/posixsem"
)

func TestWaitTakesAndPostGives(t *testing.T) {
	eachWay(t, func(t *testing.T, way func(*posixsem.Sem) *posixsem.Sem) {
		s := way(semaphore(t, 2))
		require.NoError(t, s.Wait())
		require.NoError(t, s.WaitContext(t.Context()))
		assert.Zero(t, value(t, s))
		assert.ErrorIs(t, s.TryWait(), unix.EAGAIN)
		require.NoError(t, s.Post())
		assert.Equal(t, 1, value(t, s))
		require.NoError(t, s.TryWait())
		require.NoError(t, s.Destroy())
	})
}

func TestASemaphoreOfThisProcessAlone(t *testing.T) {
	s, err := posixsem.New(1)
	require.NoError(t, err)
	require.NoError(t, s.Wait())
	ended := make(chan error)
	go func() { ended <- s.Wait() }()
	asleep(t, 1)
	require.NoError(t, s.Post())
	require.NoError(t, <-ended)
	assert.Zero(t, value(t, s))
	assert.ErrorIs(t, s.Close(), unix.EINVAL, "it was not opened by a name")
	require.NoError(t, s.Destroy())
	_, err = posixsem.New(math.MaxInt32 + 1)
	assert.ErrorIs(t, err, unix.EINVAL)
}

func TestDeadlineThatPassesTakesNothing(t *testing.T) {
	eachWay(t, func(t *testing.T, way func(*posixsem.Sem) *posixsem.Sem) {
		s := way(semaphore(t, 0))
		assert.ErrorIs(t, s.WaitBy(time.Now().Add(time.Millisecond)), unix.ETIMEDOUT)
		assert.ErrorIs(t, s.WaitBy(time.Unix(-1, 0)), unix.ETIMEDOUT)
		for _, d := range []time.Duration{time.Millisecond, 1, 0, -1, math.MinInt64} {
			assert.ErrorIs(t, s.WaitFor(d), unix.ETIMEDOUT)
		}
		for _, wait := range []func() error{
			func() error { return s.WaitBy(time.Unix(0, 0)) },
			func() error { return s.WaitFor(-1) },
			func() error { return s.WaitFor(math.MaxInt64) },
		} {
			require.NoError(t, s.Post())
			require.NoError(t, wait(), "what is there is taken whatever the time")
		}
		assert.Zero(t, value(t, s))
	})
}

func TestASleepEndsWhenSomebodyPosts(t *testing.T) {
	eachWay(t, func(t *testing.T, way func(*posixsem.Sem) *posixsem.Sem) {
		s := way(semaphore(t, 0))
		for _, wait := range []func() error{
			s.Wait,
			func() error { return s.WaitContext(t.Context()) },
			func() error { return s.WaitBy(time.Now().Add(time.Hour)) },
			func() error { return s.WaitFor(math.MaxInt64) },
		} {
			ended := make(chan error)
			go func() { ended <- wait() }()
			asleep(t, 1)
			require.NoError(t, s.Post())
			require.NoError(t, <-ended)
			assert.Zero(t, value(t, s))
		}
	})
}

func TestEndOfTheContextEndsTheWaitAndTakesNothing(t *testing.T) {
	eachWay(t, func(t *testing.T, way func(*posixsem.Sem) *posixsem.Sem) {
		s := way(semaphore(t, 0))
		reason := errors.New("enough")
		for range 50 {
			ctx, cancel := context.WithCancelCause(t.Context())
			ended := make(chan error)
			go func() { ended <- s.WaitContext(ctx) }()
			runtime.Gosched()
			cancel(reason)
			require.ErrorIs(t, <-ended, reason)
		}
		require.NoError(t, s.Post())
		assert.Equal(t, 1, value(t, s))
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(reason)
		assert.ErrorIs(t, s.WaitContext(ctx), reason)
		assert.Equal(t, 1, value(t, s))
	})
}

func TestNoTokenIsLostWhenContextsEndWhilePosting(t *testing.T) {
	eachWay(t, func(t *testing.T, way func(*posixsem.Sem) *posixsem.Sem) {
		s := way(semaphore(t, 0))
		const rounds = 200
		taken := 0
		for range rounds {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- s.WaitContext(ctx) }()
			go cancel()
			require.NoError(t, s.Post())
			if err := <-ended; err == nil {
				taken++
			} else {
				require.ErrorIs(t, err, context.Canceled)
			}
			cancel()
		}
		assert.Equal(t, rounds, taken+value(t, s))
	})
}

// Many who wait in every way there is, and give up at random, and as many who give:
// what was given and not taken is the value in the end, and nobody sleeps beside it.
func TestTokensAreCountedRightAmongManyWhoGiveUp(t *testing.T) {
	s := semaphore(t, 0)
	plain := s.Libc()
	const tokens, takers = 3000, 12
	var running sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	all, stop := context.WithCancel(t.Context())
	defer stop()
	for i := range takers {
		s := []*posixsem.Sem{s, plain}[i%2]
		running.Go(func() {
			for all.Err() == nil {
				patience := time.Duration(rand.N(1000)) * time.Microsecond
				var err error
				switch rand.N(4) {
				case 0:
					err = s.TryWait()
				case 1:
					err = s.WaitFor(patience)
				case 2:
					err = s.WaitBy(time.Now().Add(patience))
				case 3:
					ctx, cancel := context.WithTimeout(all, patience)
					err = s.WaitContext(ctx)
					cancel()
				}
				if err == nil {
					mu.Lock()
					if taken++; taken == tokens {
						stop()
					}
					mu.Unlock()
				}
			}
		})
	}
	for i := range tokens {
		require.NoError(t, []*posixsem.Sem{s, plain}[i%2].Post())
	}
	running.Wait()
	assert.Equal(t, tokens, taken)
	assert.Zero(t, value(t, s))
}

func TestOneSleeperWakesForEachPost(t *testing.T) {
	s := semaphore(t, 0)
	const sleepers = 10
	ended := make(chan error, sleepers)
	for i := range sleepers {
		s := []*posixsem.Sem{s, s.Libc()}[i%2]
		go func() { ended <- s.Wait() }()
	}
	asleep(t, sleepers)
	for i := range sleepers {
		require.NoError(t, s.Post())
		require.NoError(t, <-ended)
		asleep(t, sleepers-1-i)
		assert.Empty(t, ended)
	}
}

// A signal whose handler was installed without SA_RESTART ends sem_wait with EINTR; the
// one that ends waits for a context is sent to a thread that waits without one.
func TestInterruptedWaitWaitsOn(t *testing.T) {
	s := semaphore(t, 0)
	// The handler is there after the first wait that a context has ended.
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.WaitContext(ctx), context.DeadlineExceeded)
	for _, wait := range []func() error{
		s.Wait,
		func() error { return s.WaitBy(time.Now().Add(time.Hour)) },
		func() error { return s.WaitFor(time.Hour) },
		func() error { return s.WaitContext(t.Context()) },
	} {
		ended := make(chan error, 1)
		go func() { ended <- wait() }()
		const interrupt = unix.Signal(63)
		for range 20 {
			_ = unix.Tgkill(os.Getpid(), asleep(t, 1)[0], interrupt)
		}
		asleep(t, 1)
		assert.Empty(t, ended)
		require.NoError(t, s.Post())
		require.NoError(t, <-ended)
	}
}

func TestSignalsDoNotPutOffADeadline(t *testing.T) {
	s := semaphore(t, 0)
	ended := make(chan error, 1)
	go func() { ended <- s.WaitFor(300 * time.Millisecond) }()
	for {
		select {
		case err := <-ended:
			assert.ErrorIs(t, err, unix.ETIMEDOUT)
			return
		default:
			for _, tid := range sleepers() {
				_ = unix.Tgkill(os.Getpid(), tid, unix.SIGURG)
				_ = unix.Tgkill(os.Getpid(), tid, unix.Signal(63))
			}
		}
	}
}

// Fails under the race detector if it is not told.
func TestWhatWasWrittenBeforePostMayBeReadAfterWait(t *testing.T) {
	eachWay(t, func(t *testing.T, way func(*posixsem.Sem) *posixsem.Sem) {
		s := way(semaphore(t, 0))
		for _, wait := range []func() error{
			s.Wait,
			func() error { return s.WaitContext(t.Context()) },
			func() error { return s.WaitFor(time.Hour) },
			func() error {
				for s.TryWait() != nil {
					runtime.Gosched()
				}
				return nil
			},
		} {
			written := 0
			var writing sync.WaitGroup
			writing.Go(func() {
				written = 1
				assert.NoError(t, s.Post())
			})
			require.NoError(t, wait())
			assert.Equal(t, 1, written)
			writing.Wait()
		}
	})
}

func TestWhatIsNoSemaphoreIsRefused(t *testing.T) {
	memory, _ := shared(t)
	_, err := posixsem.Init(memory, math.MaxInt32+1)
	assert.ErrorIs(t, err, unix.EINVAL)
	_, err = posixsem.Init(memory, 1<<40)
	assert.ErrorIs(t, err, unix.EINVAL)
	_, err = posixsem.Init(memory[1:], 0)
	assert.ErrorIs(t, err, unix.EINVAL, "not aligned")
	_, err = posixsem.At(memory[:posixsem.Size-1])
	assert.ErrorIs(t, err, unix.EINVAL, "too small")
	s, err := posixsem.Init(memory, math.MaxInt32)
	require.NoError(t, err)
	err = s.Post()
	assert.ErrorIs(t, err, unix.EOVERFLOW)
	var call *os.SyscallError
	require.ErrorAs(t, err, &call)
	assert.Equal(t, "sem_post", call.Syscall)
}
