package ordered_test

import (
	"math"
	"os"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/ordered"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestStoresWriteTheirWordAndNoOther(t *testing.T) {
	for _, value := range []uint64{0, 1, math.MaxUint32, 1 << 40, math.MaxUint64} {
		words := [3]uint64{7, 8, 9}
		ordered.Store(&words[1], value)
		assert.Equal(t, [3]uint64{7, value, 9}, words)
		halves := [3]uint32{7, 8, 9}
		ordered.Store32(&halves[1], uint32(value))
		assert.Equal(t, [3]uint32{7, uint32(value), 9}, halves)
	}
}

func TestPrefetchingNeedsNoMemory(t *testing.T) {
	m, err := unix.Mmap(-1, 0, 4096, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	require.NoError(t, err)
	for _, n := range []int{0, 1, 64, len(m) + 64} {
		ordered.Prefetch(&m[0], n)
		ordered.PrefetchWrite(&m[0], n)
	}
	require.NoError(t, unix.Munmap(m))
}

// Under -race this is also the proof that the detector takes the store for what it is.
func TestWhatWasWrittenBeforeTheStoreIsSeenByWhoeverSeesTheStore(t *testing.T) {
	var word uint64
	t.Run("Store", func(t *testing.T) {
		testStore(t, func() uint64 { return atomic.LoadUint64(&word) }, func(n uint64) { ordered.Store(&word, n) })
	})
	var half uint32
	t.Run("Store32", func(t *testing.T) {
		testStore(t, func() uint64 { return uint64(atomic.LoadUint32(&half)) }, func(n uint64) {
			ordered.Store32(&half, uint32(n))
		})
	})
}

func testStore(t *testing.T, ready func() uint64, store func(n uint64)) {
	var payload [64]uint64
	done := make(chan int)
	const rounds = 20_000
	var taken atomic.Uint64
	go func() {
		wrong := 0
		for n := uint64(1); n <= rounds; n++ {
			for ready() < n {
				ordered.Pause()
				runtime.Gosched()
			}
			for _, p := range payload {
				if p != n {
					wrong++
				}
			}
			taken.Store(n)
		}
		done <- wrong
	}()
	for n := uint64(1); n <= rounds; n++ {
		for i := range payload {
			payload[i] = n
		}
		store(n)
		for taken.Load() < n {
			runtime.Gosched()
		}
	}
	assert.Zero(t, <-done)
}
