package pthread_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pthread"
)

// ways are the two to one lock, and both in turn.
func ways[L any](direct, libc L) [][2]L {
	return [][2]L{{direct, direct}, {direct, libc}, {libc, direct}, {libc, libc}}
}

func TestAnOwnerWhoLocksAgain(t *testing.T) {
	for name, attr := range mutexes {
		if attr.Kind == pthread.Normal {
			continue
		}
		t.Run(name, func(t *testing.T) {
			m := newMutex(t, attr)
			for _, way := range ways(m, m.Libc()) {
				one, other := way[0], way[1]
				require.NoError(t, one.Lock())
				if attr.Kind == pthread.ErrorCheck {
					ipctest.IsSyscallError(t, other.Lock(), "pthread_mutex_lock", unix.EDEADLK)
					assert.Error(t, other.TryLock())
					_, err := other.Add(new(int64), 1)
					ipctest.IsSyscallError(t, err, "pthread_mutex_lock", unix.EDEADLK)
				} else {
					for _, again := range []func() error{other.Lock, one.TryLock, other.TryLock, one.Lock} {
						require.NoError(t, again())
					}
					sum, err := other.Add(new(int64), 1)
					require.NoError(t, err)
					require.Equal(t, int64(1), sum)
					for _, again := range []func() error{one.Unlock, other.Unlock, other.Unlock, one.Unlock} {
						require.NoError(t, again())
						require.ErrorIs(t, <-background(one.TryLock), unix.EBUSY, "it is locked once more")
					}
				}
				require.NoError(t, other.Unlock())
				require.NoError(t, <-background(then(one.TryLock, other.Unlock)), "it is free")
				require.ErrorIs(t, one.Unlock(), unix.EPERM)
			}
		})
	}
}

func TestOnlyTheOwnerUnlocks(t *testing.T) {
	for name, attr := range mutexes {
		if attr.Kind == pthread.Normal && !attr.Robust {
			continue
		}
		t.Run(name, func(t *testing.T) {
			m := newMutex(t, attr)
			for _, way := range ways(m, m.Libc()) {
				one, other := way[0], way[1]
				ipctest.IsSyscallError(t, other.Unlock(), "pthread_mutex_unlock", unix.EPERM)
				require.NoError(t, one.Lock())
				ipctest.IsSyscallError(t, <-background(other.Unlock), "pthread_mutex_unlock", unix.EPERM)
				require.ErrorIs(t, <-background(other.TryLock), unix.EBUSY)
				require.NoError(t, one.Unlock())
			}
		})
	}
}

func TestAMutexThatWaitsForAConditionIsTheOwnersAgain(t *testing.T) {
	for name, attr := range mutexes {
		t.Run(name, func(t *testing.T) {
			m := newMutex(t, attr)
			v, memory := condIn(t, pthread.CondAttr{})
			for _, way := range ways(m, m.Libc()) {
				one, other := way[0], way[1]
				waiter := background(func() error {
					assert.NoError(t, one.Lock())
					assert.NoError(t, v.Wait(other))
					assert.ErrorIs(t, <-background(one.TryLock), unix.EBUSY)
					return other.Unlock()
				})
				asleepAt(t, memory, 1)
				require.NoError(t, other.Lock(), "who waits has not got it")
				require.NoError(t, v.Signal())
				require.NoError(t, one.Unlock())
				require.NoError(t, <-waiter)
				require.NoError(t, then(one.TryLock, other.Unlock)())
			}
		})
	}
}

func TestAWriterWhoGoesWakesThoseWhoSleep(t *testing.T) {
	for name, attr := range rwlocks {
		t.Run(name, func(t *testing.T) {
			l, memory := rwlockIn(t, attr)
			for _, way := range ways(l, l.Libc()) {
				one, other := way[0], way[1]
				for range 3 {
					require.NoError(t, one.Lock())
					var all []<-chan error
					for _, lock := range []func() error{one.Lock, other.Lock, one.RLock, other.RLock, other.Lock} {
						all = append(all, background(then(lock, other.Unlock)))
						asleepAt(t, memory, len(all))
					}
					require.NoError(t, other.Unlock())
					for _, done := range all {
						require.NoError(t, <-done)
					}
					require.NoError(t, <-background(then(other.TryLock, one.Unlock)), "nobody has it now")
				}
			}
		})
	}
}

func TestAThreadsNumberIsReadWithoutACall(t *testing.T) {
	if !pthread.ThreadsKnown() {
		require.Equal(t, "libc", os.Getenv("UNPIPC_PTHREAD"), "or else it is known where to read")
		return
	}
	for range 20 {
		pthread.Go(func() { assert.Equal(t, unix.Gettid(), pthread.ThreadNumber()) }).Join()
	}
}
