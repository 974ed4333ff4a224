package pthread_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pthread"
)

var rwlocks = map[string]pthread.RWLockAttr{
	"prefer reader":                    {Kind: pthread.PreferReader},
	"prefer writer":                    {Kind: pthread.PreferWriter},
	"prefer writer nonrecursive":       {Kind: pthread.PreferWriterNonrecursive},
	"shared":                           {Shared: true},
	"shared, prefer writer nonrecurs.": {Shared: true, Kind: pthread.PreferWriterNonrecursive},
}

func rwlockIn(t *testing.T, attr pthread.RWLockAttr) (*pthread.RWLock, []byte) {
	t.Helper()
	_, memory := mutexIn(t, pthread.MutexAttr{})
	memory = memory[:pthread.RWLockSize]
	l, err := pthread.InitRWLock(memory, attr)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Destroy()) })
	return l, memory
}

// then is a lock call that unlocks if it got the lock.
func then(lock func() error, unlock func() error) func() error {
	return func() error {
		if err := lock(); err != nil {
			return err
		}
		return unlock()
	}
}

func TestReadersShareAndWritersDoNot(t *testing.T) {
	for name, attr := range rwlocks {
		t.Run(name, func(t *testing.T) {
			l := newRWLock(t, attr)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			reads := []func() error{
				l.RLock, l.TryRLock,
				func() error { return l.RLockFor(time.Minute) },
				func() error { return l.RLockBy(time.Now().Add(time.Minute)) },
				func() error { return l.RLockContext(ctx) },
			}
			writes := []func() error{
				l.Lock, l.TryLock,
				func() error { return l.LockFor(time.Minute) },
				func() error { return l.LockBy(time.Now().Add(time.Minute)) },
				func() error { return l.LockContext(ctx) },
			}
			require.NoError(t, l.RLock())
			for _, read := range reads {
				require.NoError(t, <-background(then(read, l.Unlock)))
			}
			ipctest.IsSyscallError(t, <-background(l.TryLock), "pthread_rwlock_trywrlock", unix.EBUSY)
			require.NoError(t, l.Unlock())
			for _, write := range writes {
				require.NoError(t, write())
				ipctest.IsSyscallError(t, <-background(l.TryRLock), "pthread_rwlock_tryrdlock", unix.EBUSY)
				ipctest.IsSyscallError(t, <-background(l.TryLock), "pthread_rwlock_trywrlock", unix.EBUSY)
				ipctest.IsSyscallError(t, l.Lock(), "pthread_rwlock_wrlock", unix.EDEADLK)
				ipctest.IsSyscallError(t, l.RLock(), "pthread_rwlock_rdlock", unix.EDEADLK)
				ipctest.IsSyscallError(t, l.LockContext(ctx), "pthread_rwlock_clockwrlock", unix.EDEADLK)
				ipctest.IsSyscallError(t, l.RLockContext(ctx), "pthread_rwlock_clockrdlock", unix.EDEADLK)
				require.NoError(t, l.Unlock())
			}
		})
	}
}

func TestTheKindDecidesWhetherAReaderPassesAWaitingWriter(t *testing.T) {
	for kind, passes := range map[pthread.RWLockKind]bool{
		pthread.PreferReader:             true,
		pthread.PreferWriter:             true, // ignored by glibc
		pthread.PreferWriterNonrecursive: false,
	} {
		l, memory := rwlockIn(t, pthread.RWLockAttr{Kind: kind})
		require.NoError(t, l.RLock())
		writer := background(then(l.Lock, l.Unlock))
		asleepAt(t, memory, 1)
		err := <-background(then(l.TryRLock, l.Unlock))
		if passes {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, unix.EBUSY)
		}
		require.NoError(t, l.Unlock())
		require.NoError(t, <-writer)
	}
}

func TestADeadlineEndsTheWaitForARWLock(t *testing.T) {
	for name, attr := range rwlocks {
		t.Run(name, func(t *testing.T) {
			l := newRWLock(t, attr)
			require.NoError(t, l.LockFor(-time.Second), "what is free is taken whatever the time")
			for _, wait := range []func() error{
				func() error { return l.LockFor(time.Millisecond) },
				func() error { return l.RLockFor(time.Millisecond) },
				func() error { return l.LockBy(time.Unix(-1, 0)) },
				func() error { return l.RLockBy(time.Now().Add(time.Millisecond)) },
			} {
				require.ErrorIs(t, <-background(wait), unix.ETIMEDOUT)
			}
			require.NoError(t, l.Unlock())
			require.NoError(t, l.RLockBy(time.Time{}))
			require.NoError(t, l.Unlock())
		})
	}
}

func TestEndOfTheContextEndsTheWaitForARWLock(t *testing.T) {
	for name, attr := range rwlocks {
		t.Run(name, func(t *testing.T) {
			l, memory := rwlockIn(t, attr)
			reason := errors.New("enough")
			for i := range 20 {
				read := i%4 < 2
				require.NoError(t, l.Lock())
				ctx, cancel := context.WithCancelCause(t.Context())
				ended := background(func() error {
					if read {
						return l.RLockContext(ctx)
					}
					return l.LockContext(ctx)
				})
				if i%2 == 0 {
					asleepAt(t, memory, 1)
				}
				cancel(reason)
				require.Equal(t, reason, <-ended)
				require.NoError(t, l.Unlock())
				require.NoError(t, l.TryLock(), "nobody has it")
				require.NoError(t, l.Unlock())
				require.Equal(t, reason, l.LockContext(ctx), "it had ended before")
			}
			assert.True(t, leavesFree(t, func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				assert.NoError(t, l.RLock())
				assert.NoError(t, l.TryRLock())
				assert.ErrorIs(t, l.LockContext(ctx), context.DeadlineExceeded)
				assert.NoError(t, l.Unlock())
				assert.NoError(t, l.Unlock())
			}))
		})
	}
}

func TestWhatIsNoRWLockIsRefused(t *testing.T) {
	memory, _ := shared(t)
	_, err := pthread.InitRWLock(memory[:pthread.RWLockSize-1], pthread.RWLockAttr{})
	ipctest.IsSyscallError(t, err, "pthread_rwlock_init", unix.EINVAL)
	_, err = pthread.RWLockAt(memory[1:])
	ipctest.IsSyscallError(t, err, "pthread_rwlock_init", unix.EINVAL)
	_, err = pthread.NewRWLock(pthread.RWLockAttr{Kind: 99})
	ipctest.IsSyscallError(t, err, "pthread_rwlock_init", unix.EINVAL)
}
