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

// mutexes are all kinds that any thread may lock.
var mutexes = map[string]pthread.MutexAttr{
	"normal":             {},
	"errorcheck":         {Kind: pthread.ErrorCheck},
	"recursive":          {Kind: pthread.Recursive},
	"shared":             {Shared: true},
	"robust":             {Robust: true},
	"robust errorcheck":  {Robust: true, Kind: pthread.ErrorCheck},
	"robust recursive":   {Robust: true, Kind: pthread.Recursive},
	"robust shared":      {Robust: true, Shared: true},
	"inherit":            {Protocol: pthread.Inherit},
	"inherit errorcheck": {Protocol: pthread.Inherit, Kind: pthread.ErrorCheck},
	"inherit recursive":  {Protocol: pthread.Inherit, Kind: pthread.Recursive},
	"inherit robust":     {Protocol: pthread.Inherit, Robust: true},
	"inherit robust shared errorcheck": {Protocol: pthread.Inherit, Robust: true, Shared: true,
		Kind: pthread.ErrorCheck},
}

func TestAMutexIsHeldByOne(t *testing.T) {
	for name, attr := range mutexes {
		t.Run(name, func(t *testing.T) {
			m := newMutex(t, attr)
			const each = 500
			count := 0
			var counting sync.WaitGroup
			for i := range 4 {
				counting.Go(func() {
					for range each {
						lock := []func() error{
							m.Lock,
							func() error { return m.LockContext(t.Context()) },
							func() error { return m.LockFor(time.Hour) },
							func() error { return m.LockBy(time.Now().Add(time.Hour)) },
						}[i]
						if !assert.NoError(t, lock()) {
							return
						}
						count++
						assert.NoError(t, m.Unlock())
					}
				})
			}
			counting.Wait()
			assert.Equal(t, 4*each, count)
		})
	}
}

func TestTheOwnerThatLocksAgain(t *testing.T) {
	m := newMutex(t, pthread.MutexAttr{Kind: pthread.ErrorCheck})
	require.NoError(t, m.Lock())
	ipctest.IsSyscallError(t, m.Lock(), "pthread_mutex_lock", unix.EDEADLK)
	ipctest.IsSyscallError(t, m.LockFor(time.Second), "pthread_mutex_clocklock", unix.EDEADLK)
	ipctest.IsSyscallError(t, m.LockBy(time.Now().Add(time.Second)), "pthread_mutex_timedlock", unix.EDEADLK)
	ipctest.IsSyscallError(t, m.LockContext(t.Context()), "pthread_mutex_clocklock", unix.EDEADLK)
	ipctest.IsSyscallError(t, m.TryLock(), "pthread_mutex_trylock", unix.EBUSY)
	require.NoError(t, m.Unlock())
	ipctest.IsSyscallError(t, m.Unlock(), "pthread_mutex_unlock", unix.EPERM)

	m = newMutex(t, pthread.MutexAttr{Kind: pthread.Recursive})
	require.NoError(t, m.Lock())
	require.NoError(t, m.TryLock())
	require.NoError(t, m.LockContext(t.Context()))
	other := make(chan error)
	for held := 3; held > 0; held-- {
		go func() { other <- m.TryLock() }()
		require.ErrorIs(t, <-other, unix.EBUSY)
		require.NoError(t, m.Unlock())
	}
	assert.ErrorIs(t, m.Unlock(), unix.EPERM)

	m = newMutex(t, pthread.MutexAttr{})
	require.NoError(t, m.Lock())
	assert.ErrorIs(t, m.LockFor(time.Millisecond), unix.ETIMEDOUT, "it sleeps")
	require.NoError(t, m.Unlock())
}

func TestADeadlineEndsTheWaitForAMutex(t *testing.T) {
	for name, attr := range mutexes {
		t.Run(name, func(t *testing.T) {
			m := newMutex(t, attr)
			require.NoError(t, m.LockBy(time.Unix(-1, 0)), "what is free is taken whatever the time")
			require.NoError(t, m.Unlock())
			require.NoError(t, m.LockFor(-time.Second))
			for _, wait := range []func() error{
				func() error { return m.LockBy(time.Now().Add(time.Millisecond)) },
				func() error { return m.LockBy(time.Unix(-1, 5)) },
				func() error { return m.LockBy(time.Time{}) },
				func() error { return m.LockFor(time.Millisecond) },
				func() error { return m.LockFor(-time.Hour) },
			} {
				require.ErrorIs(t, <-background(wait), unix.ETIMEDOUT)
			}
			require.NoError(t, m.Unlock())
		})
	}
}

func TestEndOfTheContextEndsTheWaitForEveryKindOfMutex(t *testing.T) {
	for name, attr := range mutexes {
		t.Run(name, func(t *testing.T) {
			m, memory := mutexIn(t, attr)
			require.NoError(t, m.Lock())
			reason := errors.New("enough")
			for i := range 20 {
				ctx, cancel := context.WithCancelCause(t.Context())
				ended := background(func() error { return m.LockContext(ctx) })
				if i%2 == 0 {
					asleepAt(t, memory, 1)
				}
				cancel(reason)
				require.Equal(t, reason, <-ended)
				require.Equal(t, reason, m.LockContext(ctx), "it had ended before")
			}
			require.NoError(t, m.Unlock())
			require.NoError(t, m.LockContext(t.Context()))
			require.NoError(t, m.Unlock())
			require.NoError(t, m.Destroy())
		})
	}
}

func TestNoLockIsLostWhenContextsEndWhileUnlocking(t *testing.T) {
	for name, attr := range mutexes {
		t.Run(name, func(t *testing.T) {
			m := newMutex(t, attr)
			for range 100 {
				ctx, cancel := context.WithCancel(t.Context())
				require.NoError(t, m.Lock())
				ended := background(func() error {
					err := m.LockContext(ctx)
					if err == nil {
						err = m.Unlock()
					}
					return err
				})
				for range rand.N(20) {
					runtime.Gosched()
				}
				var racing sync.WaitGroup
				racing.Go(cancel)
				require.NoError(t, m.Unlock())
				if err := <-ended; err != nil {
					require.ErrorIs(t, err, context.Canceled)
				}
				racing.Wait()
				require.NoError(t, m.TryLock(), "it is free")
				require.NoError(t, m.Unlock())
			}
		})
	}
}

func TestAGoroutineStaysOnItsThreadWhileItHoldsALock(t *testing.T) {
	m := newMutex(t, pthread.MutexAttr{Kind: pthread.Recursive})
	busy := newMutex(t, pthread.MutexAttr{Kind: pthread.ErrorCheck})
	require.NoError(t, busy.Lock())
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	// A mutex for a goroutine that ends with it.
	endless := func() *pthread.Mutex {
		m, _ := mutexIn(t, pthread.MutexAttr{Kind: pthread.Recursive})
		return m
	}
	unlocked := map[string]func(){
		"unlocked":           func() { m.Lock(); m.Unlock() },
		"unlocked twice":     func() { m.Lock(); m.TryLock(); m.Unlock(); m.Unlock() },
		"not locked at all":  func() { m.Unlock() },
		"busy":               func() { busy.TryLock() },
		"timed out":          func() { busy.LockFor(0); busy.LockBy(time.Time{}) },
		"context ended":      func() { busy.LockContext(ended) },
		"a fused form":       func() { m.Add(new(int64), 1) },
		"locked by context":  func() { m.LockContext(t.Context()); m.Unlock() },
		"locked by a limit":  func() { m.LockFor(time.Hour); m.LockBy(time.Now()); m.Unlock(); m.Unlock() },
		"context ends later": func() { ctx, c := context.WithTimeout(t.Context(), 1); busy.LockContext(ctx); c() },
	}
	for name, f := range unlocked {
		assert.True(t, leavesFree(t, f), name)
	}
	assert.False(t, leavesFree(t, func() { endless().Lock() }), "locked")
	assert.False(t, leavesFree(t, func() { m := endless(); m.Lock(); m.Add(new(int64), 1) }), "locked still")
	assert.False(t, leavesFree(t, func() {
		m := endless()
		m.Lock()
		m.Lock()
		m.Unlock()
	}), "locked once more")
	require.NoError(t, busy.Unlock())
}

// Without the pinning most of these unlocks fail: a robust mutex knows its owner.
func TestAGoroutineThatYieldsWhileItHoldsAMutexMayUnlockIt(t *testing.T) {
	m := newMutex(t, pthread.MutexAttr{Robust: true})
	count := 0
	var counting sync.WaitGroup
	for range 8 {
		counting.Go(func() {
			for range 200 {
				assert.NoError(t, m.Lock())
				tid := unix.Gettid()
				count++
				runtime.Gosched()
				assert.Equal(t, tid, unix.Gettid())
				assert.NoError(t, m.Unlock())
			}
		})
	}
	counting.Wait()
	assert.Equal(t, 8*200, count)
}

func TestWhatIsNoMutexIsRefused(t *testing.T) {
	memory, _ := shared(t)
	for name, attempt := range map[string]func() error{
		"too small": func() error {
			_, err := pthread.InitMutex(memory[:pthread.MutexSize-1], pthread.MutexAttr{})
			return err
		},
		"not aligned":  func() error { _, err := pthread.InitMutex(memory[1:], pthread.MutexAttr{}); return err },
		"no memory":    func() error { _, err := pthread.MutexAt(nil); return err },
		"no such kind": func() error { _, err := pthread.InitMutex(memory, pthread.MutexAttr{Kind: 99}); return err },
		"no protocol":  func() error { _, err := pthread.NewMutex(pthread.MutexAttr{Protocol: 99}); return err },
		"no priority": func() error {
			_, err := pthread.NewMutex(pthread.MutexAttr{Protocol: pthread.Protect, Ceiling: 100})
			return err
		},
		"less than all": func() error {
			_, err := pthread.NewMutex(pthread.MutexAttr{Protocol: pthread.Protect, Ceiling: -1})
			return err
		},
	} {
		err := attempt()
		require.Error(t, err, name)
		ipctest.IsSyscallError(t, err, "pthread_mutex_init", unix.EINVAL)
	}
	_, err := pthread.NewMutex(pthread.MutexAttr{Robust: true, Protocol: pthread.Protect})
	assert.ErrorIs(t, err, unix.ENOTSUP)
	m := newMutex(t, pthread.MutexAttr{})
	ipctest.IsSyscallError(t, m.Consistent(), "pthread_mutex_consistent", unix.EINVAL)
	require.NoError(t, m.Lock())
	ipctest.IsSyscallError(t, m.Destroy(), "pthread_mutex_destroy", unix.EBUSY)
	require.NoError(t, m.Unlock())
}

// Fails under the race detector if it is not told.
func TestWhatWasWrittenUnderALockMayBeReadUnderIt(t *testing.T) {
	m := newMutex(t, pthread.MutexAttr{})
	l := newRWLock(t, pthread.RWLockAttr{})
	s, err := pthread.NewSpin(false)
	require.NoError(t, err)
	for _, lock := range []sync.Locker{locker{m}, locker{l}, locker{s}} {
		value := 0
		var writing sync.WaitGroup
		for range 3 {
			writing.Go(func() {
				for range 100 {
					lock.Lock()
					value++
					lock.Unlock()
				}
			})
		}
		writing.Wait()
		assert.Equal(t, 300, value)
	}
	require.NoError(t, s.Destroy())
}

// locker makes a sync.Locker of a lock.
type locker struct {
	lock interface {
		Lock() error
		Unlock() error
	}
}

func (l locker) Lock() {
	if err := l.lock.Lock(); err != nil {
		panic(err)
	}
}

func (l locker) Unlock() {
	if err := l.lock.Unlock(); err != nil {
		panic(err)
	}
}

func TestSleepersAreInterruptedForNobodyElse(t *testing.T) {
	m, memory := mutexIn(t, pthread.MutexAttr{Robust: true})
	require.NoError(t, m.Lock())
	first, cancel := context.WithCancel(t.Context())
	given := background(func() error { return m.LockContext(first) })
	patient := background(func() error {
		err := m.Lock()
		if err == nil {
			err = m.Unlock()
		}
		return err
	})
	asleepAt(t, memory, 2)
	cancel()
	require.ErrorIs(t, <-given, context.Canceled)
	asleepAt(t, memory, 1)
	assert.Empty(t, patient)
	require.NoError(t, m.Unlock())
	require.NoError(t, <-patient)
	require.NoError(t, m.Destroy())
}
