package p12shmring

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// memory is zero and aligned.
func memory(bytes int) []byte {
	words := make([]uint64, (bytes+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), bytes)
}

func newRing(t testing.TB, capacity int) *Ring {
	t.Helper()
	r, err := Create(memory(Size(capacity)), capacity)
	require.NoError(t, err)
	return r
}

var errStop = errors.New("stop")

// stopping is a Check that lets nobody sleep for long.
func stopping() error { return errStop }

func TestMessagesOfEverySizeComeOutAsTheyWentIn(t *testing.T) {
	for _, capacity := range []int{64, 256, 4096} {
		r := newRing(t, capacity)
		p, c := r.Producer(), r.Consumer()
		for round := range 5 {
			for size := 0; size <= r.Largest(); size += 1 + size/9 {
				m := bytes.Repeat([]byte{byte(size + round)}, size)
				require.NoError(t, p.Send(m))
				got, err := c.Next()
				require.NoError(t, err)
				require.Equal(t, m, append([]byte{}, got...), "%d in %d", size, capacity)
				c.Release()
			}
		}
		p.Close()
		_, err := c.Next()
		require.Equal(t, io.EOF, err)
		_, err = c.Next()
		require.Equal(t, io.EOF, err, "again")
		assert.True(t, r.Empty())
	}
}

// Against a queue of slices, with sizes, batches and releases drawn by chance.
func TestTheRingBehavesAsAQueueOfMessages(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		r := newRing(t, 64<<random.IntN(6))
		p, c := r.Producer(), r.Consumer()
		p.Batch = random.IntN(r.Capacity() / 2)
		p.Check, c.Check = stopping, stopping
		var model [][]byte
		held := 0 // messages that were taken and not released
		for range 2000 {
			if random.IntN(2) == 0 {
				m := make([]byte, random.IntN(r.Largest()+1))
				for i := range m {
					m[i] = byte(random.Uint32())
				}
				// Would it fit? If nothing is held it must, once all is read.
				free := uint64(r.Capacity()) - (p.tail - c.published)
				if recordSize(len(m))*2 > free {
					continue
				}
				require.NoError(t, p.Send(m))
				model = append(model, m)
				continue
			}
			if len(model) == 0 {
				continue
			}
			p.Flush()
			got, err := c.Next()
			require.NoError(t, err)
			require.Equal(t, model[0], append([]byte{}, got...))
			model, held = model[1:], held+1
			if random.IntN(3) == 0 {
				c.Release()
				held = 0
			}
		}
		c.Release()
		p.Close()
		for _, m := range model {
			got, err := c.Next()
			require.NoError(t, err)
			require.Equal(t, m, append([]byte{}, got...))
			c.Release()
		}
		_, err := c.Next()
		require.Equal(t, io.EOF, err)
	}
}

func TestReservedRoomMayBeUsedInPartOrNotAtAll(t *testing.T) {
	r := newRing(t, 256)
	p, c := r.Producer(), r.Consumer()
	room, err := p.Reserve(100)
	require.NoError(t, err)
	assert.Len(t, room, 100)
	assert.Equal(t, 100, cap(room), "an append must not run into the next record")
	assert.ErrorIs(t, p.Commit(101), ErrTooLong)
	assert.ErrorIs(t, p.Commit(-1), ErrTooLong)
	_, err = p.Reserve(50)
	require.NoError(t, err)
	copy(room, "short")
	require.NoError(t, p.Commit(5))
	assert.ErrorIs(t, p.Commit(0), ErrTooLong, "nothing is reserved")
	got, err := c.Next()
	require.NoError(t, err)
	assert.Equal(t, "short", string(got))
	assert.Equal(t, 5, cap(got))
	for _, n := range []int{-1, r.Largest() + 1, math.MaxInt} {
		_, err = p.Reserve(n)
		assert.ErrorIs(t, err, ErrTooLong)
	}
}

func TestABatchIsPublishedWhenItIsFullOrFlushed(t *testing.T) {
	r := newRing(t, 1024)
	p := r.Producer()
	p.Batch = 64
	for range 4 { // of 16 bytes with their headers
		require.NoError(t, p.Send(make([]byte, 8)))
		assert.Zero(t, r.tail.Load())
	}
	require.NoError(t, p.Send(nil))
	assert.Equal(t, uint64(72), r.tail.Load())
	require.NoError(t, p.Send(nil))
	assert.Equal(t, uint64(72), r.tail.Load())
	p.Flush()
	assert.Equal(t, uint64(80), r.tail.Load())
}

func TestAProducerThatMustSleepPublishesFirst(t *testing.T) {
	r := newRing(t, 64)
	p := r.Producer()
	p.Batch, p.Check = 1<<20, stopping
	require.NoError(t, p.Send(make([]byte, 24)))
	require.NoError(t, p.Send(make([]byte, 24)))
	assert.Zero(t, r.tail.Load())
	assert.ErrorIs(t, p.Send(nil), errStop)
	assert.Equal(t, uint64(64), r.tail.Load())
}

func TestSeveralMessagesMayBeTakenBeforeTheyAreReleased(t *testing.T) {
	r := newRing(t, 128)
	p, c := r.Producer(), r.Consumer()
	c.Check = stopping
	var all [][]byte
	for i := range 4 {
		require.NoError(t, p.Send([]byte{byte(i)}))
	}
	for range 4 {
		m, err := c.Next()
		require.NoError(t, err)
		all = append(all, m)
	}
	_, err := c.Next()
	require.ErrorIs(t, err, errStop)
	assert.Zero(t, r.head.Load(), "what is held is not given back")
	assert.Equal(t, [][]byte{{0}, {1}, {2}, {3}}, all)
	c.Release()
	assert.Equal(t, uint64(64), r.head.Load())
}

func TestTheEndOfOneSideIsSeenByTheOther(t *testing.T) {
	r := newRing(t, 64)
	p, c := r.Producer(), r.Consumer()
	require.NoError(t, p.Send([]byte("last")))
	c.Close()
	require.NoError(t, p.Send(nil), "there is room")
	for range 10 {
		if err := p.Send(make([]byte, 20)); err != nil {
			assert.ErrorIs(t, err, ErrClosed)
			return
		}
	}
	t.Fatal("a closed ring takes messages for ever")
}

func TestASleeperIsWokenByAMessageByRoomAndByTheEnd(t *testing.T) {
	r := newRing(t, 64)
	p, c := r.Producer(), r.Consumer()
	asleepNow := func(word interface{ Load() uint32 }) {
		for word.Load() != asleep {
			time.Sleep(10 * time.Microsecond)
		}
	}
	got := make(chan error)
	take := func() { _, err := c.Receive(nil); got <- err }
	go take()
	asleepNow(r.consumerSleeps)
	require.NoError(t, p.Send(make([]byte, 20)))
	require.NoError(t, <-got)
	require.NoError(t, p.Send(make([]byte, 20)))
	require.NoError(t, p.Send(make([]byte, 20))) // and now it is full
	sent := make(chan error)
	go func() { sent <- p.Send(make([]byte, 20)) }()
	asleepNow(r.producerSleeps)
	for range 3 {
		go take()
		require.NoError(t, <-got)
	}
	require.NoError(t, <-sent)
	go take()
	asleepNow(r.consumerSleeps)
	p.Close()
	require.Equal(t, io.EOF, <-got)
}

func TestWhatIsNoRingIsRefused(t *testing.T) {
	m := memory(Size(64))
	_, err := Attach(m)
	require.ErrorIs(t, err, ErrNotReady)
	_, err = Attach(m[:100])
	require.ErrorIs(t, err, ErrFormat)
	for name, change := range map[string]func(m []byte){
		"magic":             func(m []byte) { m[0]++ },
		"version":           func(m []byte) { *at[uint32](m, offVersion)++ },
		"no capacity":       func(m []byte) { *at[uint64](m, offCapacity) = 0 },
		"no power of two":   func(m []byte) { *at[uint64](m, offCapacity) = 65 },
		"beyond the memory": func(m []byte) { *at[uint64](m, offCapacity) = 128 },
		"negative":          func(m []byte) { *at[uint64](m, offCapacity) = 1 << 63 },
		"tail elsewhere":    func(m []byte) { *at[uint32](m, offTailAt)++ },
		"head elsewhere":    func(m []byte) { *at[uint32](m, offHeadAt)++ },
		"bytes elsewhere":   func(m []byte) { *at[uint32](m, offBytesAt) = 0 },
	} {
		m := memory(Size(64))
		_, err := Create(m, 64)
		require.NoError(t, err)
		change(m)
		_, err = Attach(m)
		assert.ErrorIs(t, err, ErrFormat, name)
	}
	for _, capacity := range []int{0, -64, 63, 96, 2 * GreatestCapacity} {
		_, err := Create(memory(4096), capacity)
		assert.Error(t, err, "%d", capacity)
	}
	_, err = Create(memory(Size(64)), 128)
	assert.ErrorIs(t, err, ErrFormat)
	_, err = Create(memory(Size(64) + 8)[4:], 64)
	assert.ErrorIs(t, err, ErrFormat, "not aligned")
}

func TestRecordsAndIndicesThatCannotBeAreErrors(t *testing.T) {
	for name, spoil := range map[string]func(r *Ring){
		"a tail beyond the ring":      func(r *Ring) { r.tail.Store(65) },
		"a tail far beyond the ring":  func(r *Ring) { r.tail.Store(math.MaxUint64) },
		"a tail between records":      func(r *Ring) { r.tail.Store(13) },
		"a length beyond the tail":    func(r *Ring) { putHeader(r.bytes, 24, markMessage) },
		"a length beyond the ring":    func(r *Ring) { putHeader(r.bytes, math.MaxUint32, markMessage) },
		"a record that is no message": func(r *Ring) { putHeader(r.bytes, 8, 1) },
		"a skip beyond the tail":      func(r *Ring) { putHeader(r.bytes, 56, markSkip) },
	} {
		r := newRing(t, 64)
		p, c := r.Producer(), r.Consumer()
		require.NoError(t, p.Send(make([]byte, 8)))
		spoil(r)
		_, err := c.Next()
		assert.ErrorIs(t, err, ErrCorrupt, name)
		_, err = c.Next()
		assert.ErrorIs(t, err, ErrCorrupt, "%s, again", name)
	}
	for _, head := range []uint64{24, 1 << 40, math.MaxUint64 / 2} {
		r := newRing(t, 64)
		p := r.Producer()
		r.head.Store(head)
		assert.ErrorIs(t, p.Send(make([]byte, 8)), ErrCorrupt)
	}
}

func FuzzWhateverTheOtherSideWritesNothingOutsideIsTouched(f *testing.F) {
	f.Add(uint64(16), uint64(0), []byte{8, 0, 0, 0, 0x21, 0x67, 0x73, 0x6d})
	f.Add(uint64(64), uint64(8), []byte{0, 0, 0, 0, 0x70, 0x69, 0x6b, 0x73})
	f.Fuzz(func(t *testing.T, tail, head uint64, content []byte) {
		const capacity = 128
		all := memory(Size(capacity) + 256)
		guard := all[Size(capacity):]
		for i := range guard {
			guard[i] = 0xA5
		}
		r, err := Create(all[:Size(capacity):Size(capacity)], capacity)
		require.NoError(t, err)
		copy(r.bytes, content)
		c, p := r.Consumer(), r.Producer()
		r.tail.Store(tail)
		r.producerClosed.Store(1) // or the consumer would sleep
		for range 100 {
			m, err := c.Next()
			if err != nil {
				break
			}
			for i := range m {
				m[i] ^= 0xff
			}
			c.Release()
		}
		r.head.Store(head)
		r.consumerClosed.Store(1)
		for range 100 {
			if p.Send([]byte("something")) != nil {
				break
			}
		}
		for _, b := range guard {
			require.Equal(t, byte(0xA5), b)
		}
	})
}

func TestWhoHasLookedInVainSleepsAtOnceTheNextTimes(t *testing.T) {
	var word atomic.Uint32
	w := newWaiter(&word)
	looked, until := 0, math.MaxInt
	ready := func() bool { looked++; return looked > until }
	require.ErrorIs(t, w.await(ready, stopping), errStop)
	assert.Greater(t, looked, looks)
	looked = 0
	require.ErrorIs(t, w.await(ready, stopping), errStop)
	assert.Less(t, looked, looks)

	// One in so many looks all the same, and finds out that it is worth it again.
	w.waits, looked, until = probe-1, 0, looks/2
	require.NoError(t, w.await(ready, stopping))
	assert.False(t, w.vain)
}

func TestSizesAndRatiosAreWritten(t *testing.T) {
	assert.Equal(t, "1MB 1GB 4KB 100B", sizeWords(1<<20)+" "+sizeWords(1<<30)+" "+sizeWords(4096)+" "+sizeWords(100))
	assert.Equal(t, "12x 7.2x 0.52x", timesWords(11.7)+" "+timesWords(7.2)+" "+timesWords(0.521))
}
