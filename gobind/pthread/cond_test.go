package pthread_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pthread"
)

// condIn is a condition variable in memory of its own, at which sleepers can be seen.
func condIn(t testing.TB, attr pthread.CondAttr) (*pthread.Cond, []byte) {
	t.Helper()
	_, memory := mutexIn(t, pthread.MutexAttr{})
	memory = memory[:pthread.CondSize]
	v, err := pthread.InitCond(memory, attr)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Destroy()) })
	return v, memory
}

// waiting runs wait with m locked, in a goroutine.
func waiting(t *testing.T, m *pthread.Mutex, wait func() error) <-chan error {
	return background(func() error {
		assert.NoError(t, m.Lock())
		err := wait()
		assert.NoError(t, m.Unlock(), "it holds the mutex again")
		return err
	})
}

func TestSignalWakesOneAndBroadcastAll(t *testing.T) {
	m := newMutex(t, pthread.MutexAttr{Kind: pthread.ErrorCheck})
	v, memory := condIn(t, pthread.CondAttr{})
	require.NoError(t, v.Signal(), "nobody waits")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	woken := make(chan error)
	for _, wait := range []func() error{
		func() error { return v.Wait(m) },
		func() error { return v.WaitFor(m, time.Minute) },
		func() error { return v.WaitBy(m, time.Now().Add(time.Minute)) },
		func() error { return v.WaitContext(ctx, m) },
		func() error {
			return v.WaitUntil(m, unix.NsecToTimespec(time.Now().Add(time.Minute).UnixNano()))
		},
	} {
		ended := waiting(t, m, wait)
		go func() { woken <- <-ended }()
	}
	asleepAt(t, memory, 5)
	require.NoError(t, v.Signal())
	require.NoError(t, <-woken)
	asleepAt(t, memory, 4)
	require.NoError(t, v.Broadcast())
	for range 4 {
		require.NoError(t, <-woken)
	}
}

func TestADeadlineEndsTheWaitForACondition(t *testing.T) {
	for name, attr := range mutexes {
		t.Run(name, func(t *testing.T) {
			m := newMutex(t, attr)
			v := newCond(t, pthread.CondAttr{})
			for _, wait := range []func() error{
				func() error { return v.WaitFor(m, time.Millisecond) },
				func() error { return v.WaitFor(m, -time.Millisecond) },
				func() error { return v.WaitBy(m, time.Now().Add(time.Millisecond)) },
				func() error { return v.WaitBy(m, time.Unix(-5, 0)) },
				func() error { return v.WaitUntil(m, unix.Timespec{}) },
			} {
				require.ErrorIs(t, <-waiting(t, m, wait), unix.ETIMEDOUT)
			}
		})
	}
}

func TestWaitUntilIsByTheClockOfTheCondition(t *testing.T) {
	var now unix.Timespec
	require.NoError(t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	now.Sec += 3600 // far in the past by the other clock
	m := newMutex(t, pthread.MutexAttr{})
	v, _ := condIn(t, pthread.CondAttr{Clock: pthread.Realtime})
	require.ErrorIs(t, <-waiting(t, m, func() error { return v.WaitUntil(m, now) }), unix.ETIMEDOUT)
	v, memory := condIn(t, pthread.CondAttr{Clock: pthread.Monotonic})
	ended := waiting(t, m, func() error { return v.WaitUntil(m, now) })
	asleepAt(t, memory, 1)
	require.NoError(t, v.Signal())
	require.NoError(t, <-ended)
	ipctest.IsSyscallError(t, <-waiting(t, m, func() error { return v.WaitUntil(m, unix.Timespec{Nsec: 1e9}) }),
		"pthread_cond_timedwait", unix.EINVAL)
}

func TestEndOfTheContextEndsTheWaitForACondition(t *testing.T) {
	for name, attr := range mutexes {
		for _, v := range []pthread.CondAttr{{}, {Shared: true, Clock: pthread.Monotonic}} {
			t.Run(name, func(t *testing.T) {
				m := newMutex(t, attr)
				v, memory := condIn(t, v)
				reason := errors.New("enough")
				for i := range 10 {
					ctx, cancel := context.WithCancelCause(t.Context())
					ended := waiting(t, m, func() error { return v.WaitContext(ctx, m) })
					if i%2 == 0 {
						asleepAt(t, memory, 1)
					}
					cancel(reason)
					require.Equal(t, reason, <-ended)
				}
			})
		}
	}
}

// Tokens that are put under a mutex, one signal each, are taken by waiters whose contexts
// end meanwhile. A signal that went to one that gave up would leave a token, and the
// one that still waits for it asleep.
func TestNoSignalIsLostWhenContextsEndWhileSignalling(t *testing.T) {
	m := newMutex(t, pthread.MutexAttr{})
	v := newCond(t, pthread.CondAttr{})
	tokens := 0
	take := func(ctx context.Context) error {
		if err := m.Lock(); err != nil {
			return err
		}
		defer m.Unlock()
		for tokens == 0 {
			if err := v.WaitContext(ctx, m); err != nil {
				return err
			}
		}
		tokens--
		return nil
	}
	for range 300 {
		patient := background(func() error { return take(t.Context()) })
		ctx, cancel := context.WithCancel(t.Context())
		hasty := background(func() error { return take(ctx) })
		for range rand.N(20) {
			runtime.Gosched()
		}
		var racing sync.WaitGroup
		racing.Go(cancel)
		assert.NoError(t, m.Lock())
		tokens++
		assert.NoError(t, v.Signal())
		assert.NoError(t, m.Unlock())
		if err := <-hasty; err == nil { // it was the quicker one
			assert.NoError(t, m.Lock())
			tokens++
			assert.NoError(t, v.Signal())
			assert.NoError(t, m.Unlock())
		} else {
			require.ErrorIs(t, err, context.Canceled)
		}
		require.NoError(t, <-patient)
		racing.Wait()
		require.Zero(t, tokens)
	}
}

func TestACallerWithoutTheMutexMayNotWait(t *testing.T) {
	m := newMutex(t, pthread.MutexAttr{Kind: pthread.ErrorCheck})
	v := newCond(t, pthread.CondAttr{})
	ipctest.IsSyscallError(t, v.Wait(m), "pthread_cond_wait", unix.EPERM)
	ipctest.IsSyscallError(t, v.WaitFor(m, time.Second), "pthread_cond_clockwait", unix.EPERM)
	ctx, cancel := context.WithCancel(t.Context())
	ipctest.IsSyscallError(t, v.WaitContext(ctx, m), "pthread_cond_clockwait", unix.EPERM)
	cancel()
	require.ErrorIs(t, v.WaitContext(ctx, m), context.Canceled)
}

func TestWhatIsNoConditionIsRefused(t *testing.T) {
	memory, _ := shared(t)
	_, err := pthread.InitCond(memory[:pthread.CondSize-1], pthread.CondAttr{})
	ipctest.IsSyscallError(t, err, "pthread_cond_init", unix.EINVAL)
	_, err = pthread.CondAt(memory[1:])
	ipctest.IsSyscallError(t, err, "pthread_cond_init", unix.EINVAL)
	_, err = pthread.NewCond(pthread.CondAttr{Clock: unix.CLOCK_PROCESS_CPUTIME_ID})
	ipctest.IsSyscallError(t, err, "pthread_cond_init", unix.EINVAL)
}
