package pthread_test

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pthread"
)

// directs are the kinds of mutex that are locked without a call into C.
var directs = map[string]pthread.MutexAttr{
	"normal":             {},
	"shared":             {Shared: true},
	"errorcheck":         {Kind: pthread.ErrorCheck},
	"errorcheck, shared": {Kind: pthread.ErrorCheck, Shared: true},
	"recursive":          {Kind: pthread.Recursive},
	"recursive, shared":  {Kind: pthread.Recursive, Shared: true},
}

var _ = ipctest.Role("which way", func([]string) int {
	if pthread.Direct() {
		return 1
	}
	return 0
})

func TestEveryCallIsLibcsOnDemand(t *testing.T) {
	for way, direct := range map[string]bool{"libc": false, "": true} {
		cmd := ipctest.Command(t, "which way")
		cmd.Env = append(os.Environ(), "UNPIPC_PTHREAD="+way)
		if direct {
			assert.Error(t, cmd.Run(), "glibc's locks are as this package knows them")
		} else {
			assert.NoError(t, cmd.Run())
		}
	}
}

func TestALockTakenByOneWayIsGivenBackByTheOther(t *testing.T) {
	for name, attr := range directs {
		t.Run(name, func(t *testing.T) {
			m, memory := mutexIn(t, attr)
			for _, way := range [][2]*pthread.Mutex{{m, m}, {m, m.Libc()}, {m.Libc(), m}} {
				one, other := way[0], way[1]
				require.NoError(t, one.Lock())
				assert.ErrorIs(t, <-background(other.TryLock), unix.EBUSY)
				assert.ErrorIs(t, <-background(func() error { return other.LockFor(time.Millisecond) }), unix.ETIMEDOUT)
				assert.ErrorIs(t, other.Destroy(), unix.EBUSY)
				first, second := background(then(one.Lock, other.Unlock)), background(then(other.Lock, one.Unlock))
				asleepAt(t, memory, 2)
				require.NoError(t, other.Unlock())
				require.NoError(t, <-first)
				require.NoError(t, <-second)
			}
			require.NoError(t, m.Destroy(), "no user is left")
		})
	}
}

// byBothWays has workers at work at once, every other one at each of the two.
func byBothWays[L any](workers int, one, other L, work func(i int, mine L)) {
	var all sync.WaitGroup
	for i := range workers {
		mine := one
		if i%2 == 0 {
			mine = other
		}
		all.Go(func() { work(i, mine) })
	}
	all.Wait()
}

func TestBothWaysToAMutexExcludeEachOther(t *testing.T) {
	for name, attr := range directs {
		t.Run(name, func(t *testing.T) {
			m, v := newMutex(t, attr), newCond(t, pthread.CondAttr{Shared: attr.Shared})
			const workers, each = 4, 2000
			turn, count := 0, 0
			byBothWays(workers, m, m.Libc(), func(i int, mine *pthread.Mutex) {
				for n := range each {
					assert.NoError(t, mine.Lock())
					// Now and then in turn, by a wait that unlocks and locks.
					for n%100 == 0 && turn != i {
						assert.NoError(t, v.Wait(mine))
					}
					if n%100 == 0 {
						turn = (turn + 1) % workers
						assert.NoError(t, v.Broadcast())
					}
					count++
					assert.NoError(t, mine.Unlock())
				}
			})
			assert.Equal(t, workers*each, count)
		})
	}
}

func TestRelockOfAMutexThatNobodySleepsFor(t *testing.T) {
	for name, attr := range mutexes {
		m := newMutex(t, attr)
		require.NoError(t, m.Lock(), name)
		require.NoError(t, m.Relock(), name)
		require.ErrorIs(t, <-background(m.TryLock), unix.EBUSY, "%s: it is locked again", name)
		require.NoError(t, m.Unlock(), name)
		require.NoError(t, <-background(then(m.TryLock, m.Unlock)), "%s: and it was so once", name)
	}
}

func TestRelockDoesNotRepairAMutex(t *testing.T) {
	for name, attr := range robusts {
		m := newMutex(t, attr)
		pthread.Go(func() { assert.NoError(t, m.Lock()) }).Join()
		require.ErrorIs(t, m.Lock(), unix.EOWNERDEAD, name)
		require.ErrorIs(t, m.Relock(), unix.ENOTRECOVERABLE, name)
	}
}

func TestReadersComeAndGoByEitherWay(t *testing.T) {
	for name, attr := range rwlocks {
		t.Run(name, func(t *testing.T) {
			l := newRWLock(t, attr)
			for _, way := range [][2]*pthread.RWLock{{l, l}, {l, l.Libc()}, {l.Libc(), l}} {
				one, other := way[0], way[1]
				require.NoError(t, one.RLock())
				require.NoError(t, <-background(then(other.RLock, one.Unlock)))
				assert.ErrorIs(t, <-background(other.TryLock), unix.EBUSY)
				require.NoError(t, other.Unlock())
				require.NoError(t, one.Lock())
				assert.ErrorIs(t, <-background(other.TryRLock), unix.EBUSY)
				require.NoError(t, other.Unlock(), "a writer's, not a reader's")
				require.NoError(t, <-background(then(other.TryLock, one.Unlock)), "nobody has it now")
			}
		})
	}
}

func TestBothWaysToAReadWriteLockKeepWritersAlone(t *testing.T) {
	for name, attr := range rwlocks {
		t.Run(name, func(t *testing.T) {
			for _, share := range []int{8, 2, 1} { // of those who write
				l := newRWLock(t, attr)
				const workers, each = 6, 1000
				one, other, writes := 0, 0, 0
				byBothWays(workers, l, l.Libc(), func(i int, mine *pthread.RWLock) {
					for n := range each {
						if (n+i/2)%share == 0 {
							assert.NoError(t, mine.Lock())
							one++
							other++
							writes++
						} else {
							assert.NoError(t, mine.RLock())
							assert.Equal(t, one, other)
						}
						assert.NoError(t, mine.Unlock())
					}
				})
				assert.Equal(t, workers*each/share, writes)
			}
		})
	}
}

func TestBothWaysToASpinLockExcludeEachOther(t *testing.T) {
	s, err := pthread.NewSpin(true)
	require.NoError(t, err)
	count := 0
	byBothWays(2, s, s.Libc(), func(_ int, mine *pthread.Spin) {
		for range 2000 {
			assert.NoError(t, mine.Lock())
			count++
			assert.NoError(t, mine.Unlock())
		}
	})
	assert.Equal(t, 4000, count)
	require.NoError(t, s.Lock())
	assert.ErrorIs(t, s.Libc().TryLock(), unix.EBUSY)
	require.NoError(t, s.Libc().Unlock())
	require.NoError(t, s.Libc().Lock())
	assert.ErrorIs(t, s.TryLock(), unix.EBUSY)
	require.NoError(t, s.Unlock())
	require.NoError(t, s.Libc().TryLock())
	require.NoError(t, s.Unlock())
	require.NoError(t, s.Destroy())
}
