package pthread_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread"
)

func TestAConditionBetweenGoAndC(t *testing.T) {
	for _, maker := range []string{"Go", "C"} {
		for _, clock := range []pthread.Clock{pthread.Realtime, pthread.Monotonic} {
			memory, object := shared(t)
			other := inC(t, object)
			m, err := pthread.InitMutex(memory[mutexAt:], pthread.MutexAttr{Shared: true})
			require.NoError(t, err)
			var v *pthread.Cond
			if maker == "Go" {
				v, err = pthread.InitCond(memory[condAt:], pthread.CondAttr{Shared: true, Clock: clock})
			} else {
				other.ok("cond_init %d %d", condAt, clock)
				v, err = pthread.CondAt(memory[condAt:])
			}
			require.NoError(t, err)

			waiter := waiting(t, m, func() error { return v.Wait(m) })
			asleepAt(t, memory[condAt:condAt+pthread.CondSize], 1)
			ctx, cancel := context.WithCancel(t.Context())
			hasty := waiting(t, m, func() error { return v.WaitContext(ctx, m) })
			asleepAt(t, memory[condAt:condAt+pthread.CondSize], 2)
			cancel()
			require.ErrorIs(t, <-hasty, context.Canceled)
			other.ok("cond_signal %d", condAt)
			require.NoError(t, <-waiter)

			for _, wake := range []func() error{v.Signal, v.Broadcast} {
				other.ok("mutex_lock %d", mutexAt)
				answer := other.begin("cond_wait %d %d", condAt, mutexAt)
				other.asleep()
				require.NoError(t, wake())
				require.Zero(t, answer())
				require.ErrorIs(t, m.TryLock(), unix.EBUSY, "it holds the mutex again")
				other.gives(unix.ETIMEDOUT, "cond_timedwait %d %d %d 1", condAt, mutexAt, clock)
				other.ok("mutex_unlock %d", mutexAt)
			}
			for range 3 {
				waiter = waiting(t, m, func() error { return v.WaitFor(m, time.Minute) })
				asleepAt(t, memory[condAt:condAt+pthread.CondSize], 1)
				other.ok("cond_broadcast %d", condAt)
				require.NoError(t, <-waiter)
			}
			require.NoError(t, v.Destroy())
		}
	}
}

// A condition variable has no owner, but one who dies in pthread_cond_wait has not got
// the mutex, and so spoils nothing.
func TestAWaiterIsKilled(t *testing.T) {
	memory, object := shared(t)
	m, err := pthread.InitMutex(memory[mutexAt:], pthread.MutexAttr{Shared: true, Robust: true})
	require.NoError(t, err)
	v, err := pthread.InitCond(memory[condAt:], pthread.CondAttr{Shared: true})
	require.NoError(t, err)
	other := inC(t, object)
	other.ok("mutex_lock %d", mutexAt)
	other.begin("cond_wait %d %d", condAt, mutexAt)
	other.asleep()
	other.Kill()
	require.NoError(t, m.Lock())
	require.NoError(t, m.Unlock())
	waiter := waiting(t, m, func() error { return v.Wait(m) })
	asleepAt(t, memory[condAt:condAt+pthread.CondSize], 1)
	require.NoError(t, v.Broadcast())
	require.NoError(t, <-waiter)
}

func TestARWLockBetweenGoAndC(t *testing.T) {
	for _, maker := range []string{"Go", "C"} {
		for _, kind := range []pthread.RWLockKind{pthread.PreferReader, pthread.PreferWriterNonrecursive} {
			memory, object := shared(t)
			at := memory[rwlockAt : rwlockAt+pthread.RWLockSize]
			other := inC(t, object)
			var l *pthread.RWLock
			var err error
			if maker == "Go" {
				l, err = pthread.InitRWLock(at, pthread.RWLockAttr{Shared: true, Kind: kind})
			} else {
				other.ok("rwlock_init %d %d", rwlockAt, kind)
				l, err = pthread.RWLockAt(at)
			}
			require.NoError(t, err)
			other.ok("rwlock_rdlock %d", rwlockAt)
			require.NoError(t, l.RLock())
			require.NoError(t, l.Unlock())
			writer := background(then(l.Lock, l.Unlock))
			asleepAt(t, at, 1)
			if kind == pthread.PreferReader {
				require.NoError(t, l.TryRLock())
				require.NoError(t, l.Unlock())
			} else {
				require.ErrorIs(t, l.TryRLock(), unix.EBUSY)
			}
			other.ok("rwlock_unlock %d", rwlockAt)
			require.NoError(t, <-writer)

			other.ok("rwlock_wrlock %d", rwlockAt)
			ctx, cancel := context.WithCancel(t.Context())
			hasty := background(func() error { return l.RLockContext(ctx) })
			reader := background(then(l.RLock, l.Unlock))
			asleepAt(t, at, 2)
			cancel()
			require.ErrorIs(t, <-hasty, context.Canceled)
			other.ok("rwlock_unlock %d", rwlockAt)
			require.NoError(t, <-reader)

			for lock, unlocked := range map[string]func() error{"rwlock_wrlock": l.RLock, "rwlock_rdlock": l.Lock} {
				require.NoError(t, unlocked())
				answer := other.begin("%s %d", lock, rwlockAt)
				other.asleep()
				require.NoError(t, l.Unlock())
				require.Zero(t, answer())
				other.ok("rwlock_unlock %d", rwlockAt)
			}
			require.NoError(t, l.Lock())
			other.gives(unix.EBUSY, "rwlock_tryrdlock %d", rwlockAt)
			other.gives(unix.EBUSY, "rwlock_trywrlock %d", rwlockAt)
			require.NoError(t, l.Unlock())

			// It has no robust form.
			other.ok("rwlock_wrlock %d", rwlockAt)
			other.Kill()
			require.ErrorIs(t, l.RLockFor(time.Millisecond), unix.ETIMEDOUT, "locked for ever")
		}
	}
}

func TestABarrierBetweenGoAndC(t *testing.T) {
	for _, maker := range []string{"Go", "C"} {
		memory, object := shared(t)
		others := []*process{inC(t, object), inC(t, object)}
		var b *pthread.Barrier
		var err error
		if maker == "Go" {
			b, err = pthread.InitBarrier(memory[barrierAt:], 3, true)
		} else {
			others[0].ok("barrier_init %d 3", barrierAt)
			b, err = pthread.BarrierAt(memory[barrierAt:])
		}
		require.NoError(t, err)
		for round := range 20 {
			serials := 0
			var answers []func() int
			for _, other := range others {
				answers = append(answers, other.begin("barrier_wait %d", barrierAt))
				if round%2 == 0 {
					other.asleep()
				}
			}
			serial, err := b.Wait()
			require.NoError(t, err)
			if serial {
				serials++
			}
			for _, answer := range answers {
				if answer() == -1 { // PTHREAD_BARRIER_SERIAL_THREAD
					serials++
				}
			}
			require.Equal(t, 1, serials)
		}
		require.NoError(t, b.Destroy())
	}
}

func TestASpinLockBetweenGoAndC(t *testing.T) {
	for _, maker := range []string{"Go", "C"} {
		memory, object := shared(t)
		other := inC(t, object)
		var s *pthread.Spin
		var err error
		if maker == "Go" {
			s, err = pthread.InitSpin(memory[spinAt:], true)
		} else {
			other.ok("spin_init %d", spinAt)
			s, err = pthread.SpinAt(memory[spinAt:])
		}
		require.NoError(t, err)
		other.ok("spin_lock %d", spinAt)
		require.ErrorIs(t, s.TryLock(), unix.EBUSY)
		other.ok("spin_unlock %d", spinAt)
		require.NoError(t, s.Lock())
		other.gives(unix.EBUSY, "spin_trylock %d", spinAt)
		answer := other.begin("spin_lock %d", spinAt)
		require.NoError(t, s.Unlock())
		require.Zero(t, answer())
		other.Kill()
		require.ErrorIs(t, s.TryLock(), unix.EBUSY, "nobody knows that its holder is dead")
	}
}
