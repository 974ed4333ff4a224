package pthread_test

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pthread"
)

func TestNobodyRunsAheadOfABarrier(t *testing.T) {
	const threads, rounds = 4, 200
	b, err := pthread.NewBarrier(threads, false)
	require.NoError(t, err)
	var arrived, serials atomic.Int64
	var plain [threads]int // the race detector is told of the barrier
	var running sync.WaitGroup
	for i := range threads {
		running.Go(func() {
			for round := range rounds {
				plain[i] = round
				arrived.Add(1)
				serial, err := b.Wait()
				assert.NoError(t, err)
				if serial {
					serials.Add(1)
				}
				if n := arrived.Load(); n < int64(threads*(round+1)) {
					t.Errorf("round %d began with %d arrivals", round, n)
				}
				assert.Equal(t, round, plain[(i+1)%threads])
				_, err = b.Wait()
				assert.NoError(t, err)
			}
		})
	}
	running.Wait()
	assert.Equal(t, int64(rounds), serials.Load(), "one of each round")
	require.NoError(t, b.Destroy())
}

func TestWhatIsNoBarrierIsRefused(t *testing.T) {
	memory, _ := shared(t)
	for _, count := range []int{0, -1, math.MaxInt32 + 1} {
		_, err := pthread.NewBarrier(count, true)
		require.Error(t, err, count)
		ipctest.IsSyscallError(t, err, "pthread_barrier_init", unix.EINVAL)
	}
	_, err := pthread.InitBarrier(memory[:pthread.BarrierSize-1], 1, true)
	ipctest.IsSyscallError(t, err, "pthread_barrier_init", unix.EINVAL)
	_, err = pthread.BarrierAt(memory[1:])
	ipctest.IsSyscallError(t, err, "pthread_barrier_init", unix.EINVAL)
}

func TestASpinLockIsHeldByOne(t *testing.T) {
	s, err := pthread.NewSpin(false)
	require.NoError(t, err)
	count := 0
	var counting sync.WaitGroup
	for range 3 {
		counting.Go(func() {
			for range 300 {
				assert.NoError(t, s.Lock())
				count++
				assert.NoError(t, s.Unlock())
			}
		})
	}
	counting.Wait()
	assert.Equal(t, 900, count)
	require.NoError(t, s.TryLock())
	ipctest.IsSyscallError(t, s.TryLock(), "pthread_spin_trylock", unix.EBUSY)
	require.NoError(t, s.Unlock())
	require.NoError(t, s.Destroy())

	memory, _ := shared(t)
	_, err = pthread.InitSpin(memory[:pthread.SpinSize-1], true)
	ipctest.IsSyscallError(t, err, "pthread_spin_init", unix.EINVAL)
	_, err = pthread.SpinAt(memory[1:])
	ipctest.IsSyscallError(t, err, "pthread_spin_init", unix.EINVAL)
}
