package p15spsc

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newQueue(t testing.TB, capacity int, kind Kind) *Queue {
	t.Helper()
	q, err := Create(Heap(capacity), capacity, kind, 0)
	require.NoError(t, err)
	return q
}

func TestAQueueHoldsItsCapacityAndGivesItBackInOrder(t *testing.T) {
	for _, kind := range []Kind{Cached, Deferred, Batched} {
		for _, capacity := range []int{1, 2, 8, 1024} {
			q := newQueue(t, capacity, kind)
			p, c := q.Producer(), q.Consumer()
			for round := range uint64(5) {
				for i := range uint64(capacity) {
					require.True(t, p.TryPush(100*round+i), "%v %d", kind, capacity)
				}
				require.False(t, p.TryPush(1))
				require.NoError(t, p.Err())
				assert.Equal(t, capacity, q.Len(), "a full queue keeps nothing back")
				for i := range uint64(capacity) {
					v, ok := c.TryPop()
					require.True(t, ok)
					require.Equal(t, 100*round+i, v)
				}
				_, ok := c.TryPop()
				require.False(t, ok)
				assert.Zero(t, q.Len(), "an empty queue's slots are all given back")
			}
		}
	}
}

func TestSlicesGoRoundTheEndAndAreCutToTheRoom(t *testing.T) {
	q := newQueue(t, 8, Batched)
	p, c := q.Producer(), q.Consumer()
	next, want := uint64(0), uint64(0)
	into := make([]uint64, 20)
	for size := range 12 {
		items := make([]uint64, size)
		for i := range items {
			items[i] = next + uint64(i)
		}
		done := p.PushSlice(items)
		require.Equal(t, min(size, 8), done)
		next += uint64(done)
		for want < next {
			for _, v := range into[:c.PopSlice(into[:3])] {
				require.Equal(t, want, v)
				want++
			}
		}
		assert.Zero(t, c.PopSlice(into))
	}
	assert.Zero(t, p.PushSlice(nil))
}

// Whatever was known of the other side when one was moved last must not lead the other
// astray.
func TestSingleItemsAndSlicesMixInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, kind := range []Kind{Cached, Deferred, Batched} {
		for _, capacity := range []int{1, 4, 256, 1024} {
			q := newQueue(t, capacity, kind)
			p, c := q.Producer(), q.Consumer()
			written, read := uint64(0), uint64(0)
			items := make([]uint64, 2*stretch)
			for range 500 {
				some := items[:random.IntN(len(items))]
				for i := range some {
					some[i] = written + uint64(i)
				}
				written += uint64(p.PushSlice(some))
				for range random.IntN(2 * stretch) {
					if p.Ready() {
						p.Put(written)
						written++
					}
				}
				require.LessOrEqual(t, written-read, uint64(capacity))
				for _, v := range items[:c.PopSlice(items[:random.IntN(len(items))])] {
					require.Equal(t, read, v)
					read++
				}
				for range random.IntN(2 * stretch) {
					if c.Ready() {
						require.Equal(t, read, c.Take())
						read++
					}
				}
				require.LessOrEqual(t, read, written)
			}
			assert.Greater(t, read, uint64(capacity))
			require.NoError(t, errors.Join(p.Err(), c.Err()))
		}
	}
}

func TestDeferredItemsAreSeenAtTheQuarterOrAfterFlush(t *testing.T) {
	q := newQueue(t, 16, Deferred)
	p := q.Producer()
	for range 3 {
		p.TryPush(0)
	}
	assert.Zero(t, q.Len())
	p.TryPush(0)
	assert.Equal(t, 4, q.Len())
	p.TryPush(0)
	assert.Equal(t, 4, q.Len())
	p.Flush()
	assert.Equal(t, 5, q.Len())
}

func TestTheCountersMayComeRoundToZero(t *testing.T) {
	q := newQueue(t, 4, Cached)
	*q.tail, *q.head = math.MaxUint64-5, math.MaxUint64-5
	p, c := q.Producer(), q.Consumer()
	for n := range uint64(20) {
		require.True(t, p.TryPush(n))
		require.True(t, p.TryPush(n+1))
		for range 2 {
			_, ok := c.TryPop()
			require.True(t, ok)
		}
	}
	assert.Less(t, *q.tail, uint64(100))
}

func TestAnIndexThatCannotBeIsAnErrorAndNoAccess(t *testing.T) {
	for _, bad := range []uint64{5, 1 << 40, math.MaxUint64} {
		q := newQueue(t, 4, Cached)
		p, c := q.Producer(), q.Consumer()
		*q.tail, *q.head = bad, 0
		_, ok := c.TryPop()
		assert.False(t, ok)
		assert.ErrorIs(t, c.Err(), ErrCorrupt)
		assert.Zero(t, c.PopSlice(make([]uint64, 8)))
		*q.head = bad - 10 // one that is a little behind would be possible
		assert.False(t, p.TryPush(1))
		assert.ErrorIs(t, p.Err(), ErrCorrupt)
		assert.Zero(t, p.PushSlice(make([]uint64, 8)))
	}
}

func TestWhatIsNoQueueIsRefused(t *testing.T) {
	memory := Heap(16)
	_, err := Attach(memory)
	require.ErrorIs(t, err, ErrNotReady)
	_, err = Attach(memory[:64])
	require.ErrorIs(t, err, ErrFormat)
	for name, change := range map[string]func(m []byte){
		"magic":                  func(m []byte) { *word[uint64](m, offMagic)++ },
		"version":                func(m []byte) { *word[uint32](m, offVersion)++ },
		"kind":                   func(m []byte) { *word[uint32](m, offKind) = uint32(kinds) },
		"no slots":               func(m []byte) { *word[uint64](m, offCapacity) = 0 },
		"no power of two":        func(m []byte) { *word[uint64](m, offCapacity) = 15 },
		"more slots than memory": func(m []byte) { *word[uint64](m, offCapacity) = 32 },
		"slots beyond counting":  func(m []byte) { *word[uint64](m, offCapacity) = 1 << 63 },
		"tail elsewhere":         func(m []byte) { *word[uint32](m, offTail) += 8 },
		"head elsewhere":         func(m []byte) { *word[uint32](m, offHead) = 1 << 31 },
		"slots elsewhere":        func(m []byte) { *word[uint32](m, offSlots) = 0 },
	} {
		memory := Heap(16)
		_, err := Create(memory, 16, Cached, 0)
		require.NoError(t, err)
		change(memory)
		_, err = Attach(memory)
		assert.ErrorIs(t, err, ErrFormat, name)
	}
	for _, capacity := range []int{0, -1, 3, MaxCapacity * 2, 32} {
		_, err := Create(Heap(16), capacity, Cached, 0)
		assert.Error(t, err, "%d", capacity)
	}
	_, err = Create(Heap(16)[8:], 8, Cached, 0)
	assert.Error(t, err, "not aligned")
}

func FuzzAQueueOfAnyBytesIsRefusedOrStaysInItsMemory(f *testing.F) {
	good := Heap(4)
	_, err := Create(good, 4, Cached, 0)
	require.NoError(f, err)
	f.Add(good[:slotsBlock], uint64(0), uint64(9))
	f.Add(good[:100], uint64(3), uint64(1))
	f.Fuzz(func(t *testing.T, header []byte, tail, head uint64) {
		// The guard behind the queue must stay as it is.
		const capacity = 64
		all := Heap(2 * capacity)
		memory, guard := all[:Size(capacity)], all[Size(capacity):]
		for i := range guard {
			guard[i] = 0xA5
		}
		copy(memory, header)
		q, err := Attach(memory)
		if err != nil || q.kind == Mutex || q.kind == Sem {
			return
		}
		*q.tail, *q.head = tail, head
		p, c := q.Producer(), q.Consumer()
		var items [100]uint64
		for range 3 * capacity {
			p.TryPush(1)
			c.TryPop()
		}
		p.PushSlice(items[:])
		c.PopSlice(items[:])
		if q.kind == Naive || q.kind == Padded {
			q.simplePush(1)
			q.simplePop()
		}
		for _, b := range guard {
			require.Equal(t, byte(0xA5), b)
		}
		runtime.KeepAlive(all)
	})
}

func TestRatesAndKindsHaveNames(t *testing.T) {
	assert.Equal(t, "45M 10M 8.0M 1.0M 800K 0K", rateWords(45.4e6)+" "+rateWords(9.96e6)+" "+rateWords(8e6)+" "+
		rateWords(0.996e6)+" "+rateWords(8e5)+" "+rateWords(1))
	for _, name := range Kinds() {
		k, err := ParseKind(name)
		require.NoError(t, err)
		assert.Equal(t, name, k.String())
	}
	_, err := ParseKind("fast")
	assert.Error(t, err)
	assert.Equal(t, "kind 7", kinds.String())
}
