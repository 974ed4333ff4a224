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

// robusts are the kinds of mutex that outlive their owner.
var robusts = map[string]pthread.MutexAttr{
	"normal":     {Robust: true},
	"shared":     {Robust: true, Shared: true},
	"errorcheck": {Robust: true, Kind: pthread.ErrorCheck},
	"recursive":  {Robust: true, Kind: pthread.Recursive},
	"inherit":    {Robust: true, Protocol: pthread.Inherit},
}

// locks are all calls that lock a mutex.
func locks(t *testing.T, m *pthread.Mutex) map[string]func() error {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return map[string]func() error{
		"Lock":        m.Lock,
		"LockBy":      func() error { return m.LockBy(time.Now().Add(time.Minute)) },
		"LockFor":     func() error { return m.LockFor(time.Minute) },
		"LockContext": func() error { return m.LockContext(ctx) },
	}
}

func TestALockedGoroutineThatEndsPassesItsMutexOn(t *testing.T) {
	for name, attr := range robusts {
		t.Run(name, func(t *testing.T) {
			m := newMutex(t, attr)
			calls := locks(t, m)
			calls["TryLock"] = func() error {
				for {
					if err := m.TryLock(); !errors.Is(err, unix.EBUSY) {
						return err
					}
					time.Sleep(time.Millisecond)
				}
			}
			for call, lock := range calls {
				done := make(chan struct{})
				go func() { defer close(done); assert.NoError(t, m.Lock()) }()
				<-done // it may still be on its way out
				require.ErrorIs(t, lock(), unix.EOWNERDEAD, call)
				assert.ErrorIs(t, <-background(m.TryLock), unix.EBUSY, "it is locked")
				require.NoError(t, m.Consistent())
				require.NoError(t, m.Unlock())
				require.NoError(t, lock(), "it is as good as new")
				require.NoError(t, m.Unlock())
			}
		})
	}
}

func TestTheOwnersDeathWakesOneSleeper(t *testing.T) {
	for name, attr := range robusts {
		t.Run(name, func(t *testing.T) {
			for _, call := range []string{"Lock", "LockBy", "LockFor", "LockContext"} {
				m, memory := mutexIn(t, attr)
				die := make(chan struct{})
				held := make(chan struct{})
				owner := pthread.Go(func() { assert.NoError(t, m.Lock()); close(held); <-die })
				<-held
				lock := locks(t, m)[call]
				heirs := make(chan error)
				repair := func() {
					err := lock()
					if errors.Is(err, unix.EOWNERDEAD) {
						assert.NoError(t, m.Consistent())
					}
					assert.NoError(t, m.Unlock())
					heirs <- err
				}
				go repair()
				go repair()
				asleepAt(t, memory, 2)
				close(die)
				first, second := <-heirs, <-heirs
				if first == nil { // it reported before the one that repaired it
					first, second = second, first
				}
				assert.ErrorIs(t, first, unix.EOWNERDEAD, call)
				assert.NoError(t, second, call)
				owner.Join()
				require.NoError(t, m.Destroy())
			}
		})
	}
}

func TestAMutexThatWasNotRepairedIsLost(t *testing.T) {
	for name, attr := range robusts {
		t.Run(name, func(t *testing.T) {
			m, memory := mutexIn(t, attr)
			pthread.Go(func() { assert.NoError(t, m.Lock()) }).Join()
			require.ErrorIs(t, m.Lock(), unix.EOWNERDEAD)
			sleeper := background(m.Lock)
			asleepAt(t, memory, 1)
			require.NoError(t, m.Unlock())
			require.ErrorIs(t, <-sleeper, unix.ENOTRECOVERABLE)
			for call, lock := range locks(t, m) {
				assert.ErrorIs(t, lock(), unix.ENOTRECOVERABLE, call)
				assert.True(t, leavesFree(t, func() { lock() }), call)
			}
			_, err := m.Add(new(int64), 1)
			assert.ErrorIs(t, err, unix.ENOTRECOVERABLE)
			assert.ErrorIs(t, m.TryLock(), unix.ENOTRECOVERABLE, "the last call, as it spoils the mutex")
			require.NoError(t, m.Destroy())
			m, err = pthread.InitMutex(memory, attr)
			require.NoError(t, err)
			require.NoError(t, m.Lock(), "made anew it is a mutex again")
			require.NoError(t, m.Unlock())
		})
	}
}

func TestAFusedFormLeavesTheRepairToItsCaller(t *testing.T) {
	m := newMutex(t, pthread.MutexAttr{Robust: true})
	word := new(int64)
	bytes := make([]byte, 8)
	for name, fused := range map[string]func() error{
		"Add":   func() error { _, err := m.Add(word, 1); return err },
		"Load":  func() error { _, err := m.Load(word); return err },
		"Store": func() error { return m.Store(word, 1) },
		"Copy":  func() error { return m.Copy(bytes, []byte("12345678")) },
	} {
		*word = 0
		clear(bytes)
		pthread.Go(func() { assert.NoError(t, m.Lock()) }).Join()
		require.ErrorIs(t, fused(), unix.EOWNERDEAD, name)
		assert.Zero(t, *word, "%s has done nothing", name)
		assert.Equal(t, make([]byte, 8), bytes)
		assert.ErrorIs(t, <-background(m.TryLock), unix.EBUSY, "%s has locked it", name)
		require.NoError(t, m.Consistent())
		require.NoError(t, m.Unlock())
		require.NoError(t, fused(), name)
	}
}

func TestRelockGivesOthersTheirTurn(t *testing.T) {
	for name, attr := range mutexes {
		t.Run(name, func(t *testing.T) {
			m, memory := mutexIn(t, attr)
			v, condMemory := condIn(t, pthread.CondAttr{})
			require.NoError(t, m.Lock())
			first, second := waiting(t, m, func() error { return v.Wait(m) }), waiting(t, m, func() error { return v.Wait(m) })
			asleepAt(t, memory, 2)
			ipctest.Eventually(t, func() bool {
				require.NoError(t, m.Relock())
				return len(ipctest.Sleepers(unix.SYS_FUTEX, at(condMemory))) == 2
			}, "both get the mutex and wait")
			require.NoError(t, v.Broadcast())
			require.NoError(t, m.Unlock())
			require.NoError(t, <-first)
			require.NoError(t, <-second)
			require.NoError(t, m.Destroy())
		})
	}
}

func TestRelockTellsOfADeath(t *testing.T) {
	m, memory := mutexIn(t, pthread.MutexAttr{Robust: true})
	assert.ErrorIs(t, m.Relock(), unix.EPERM, "nobody holds it")
	require.NoError(t, m.Lock())
	victim := pthread.Go(func() { assert.NoError(t, m.Lock()) })
	asleepAt(t, memory, 1)
	ipctest.Eventually(t, func() bool { // often this one is quicker than the one that was woken
		return errors.Is(m.Relock(), unix.EOWNERDEAD)
	}, "the mutex comes back from the dead")
	require.NoError(t, m.Consistent())
	victim.Join()
	require.NoError(t, m.Unlock())
	require.NoError(t, m.Destroy())
}

func TestAMutexLostWhileWaitingForACondition(t *testing.T) {
	m, _ := mutexIn(t, pthread.MutexAttr{Robust: true})
	memory, err := unix.Mmap(-1, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, unix.Munmap(memory)) })
	v, err := pthread.InitCond(memory, pthread.CondAttr{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for name, wait := range map[string]func() error{
		"Wait":        func() error { return v.Wait(m) },
		"WaitFor":     func() error { return v.WaitFor(m, time.Minute) },
		"WaitContext": func() error { return v.WaitContext(ctx, m) },
	} {
		waiter := background(func() error {
			assert.NoError(t, m.Lock())
			err := wait()
			assert.NoError(t, m.Consistent())
			assert.NoError(t, m.Unlock())
			return err
		})
		asleepAt(t, memory, 1)
		pthread.Go(func() {
			assert.NoError(t, m.Lock())
			assert.NoError(t, v.Signal())
		}).Join()
		require.ErrorIs(t, <-waiter, unix.EOWNERDEAD, name)
	}
	for name, wait := range map[string]func() error{
		"Wait":        func() error { return v.Wait(m) },
		"WaitContext": func() error { return v.WaitContext(ctx, m) },
	} {
		again, err := pthread.InitMutex(mutexMemory(t), pthread.MutexAttr{Robust: true})
		require.NoError(t, err)
		m = again
		assert.True(t, leavesFree(t, func() {
			assert.NoError(t, m.Lock())
			lost := pthread.Go(func() {
				asleepAt(t, memory, 1)
				pthread.Go(func() { assert.NoError(t, m.Lock()) }).Join()
				assert.ErrorIs(t, m.Lock(), unix.EOWNERDEAD)
				assert.NoError(t, v.Signal())
				assert.NoError(t, m.Unlock())
			})
			assert.ErrorIs(t, wait(), unix.ENOTRECOVERABLE)
			lost.Join()
		}), name)
	}
	require.NoError(t, v.Destroy())
}

func mutexMemory(t *testing.T) []byte {
	t.Helper()
	_, memory := mutexIn(t, pthread.MutexAttr{})
	return memory
}
