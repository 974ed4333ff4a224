package p07prodcons

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newMonitor is that of a run of threads, with these members; the caller has its mutex.
func newMonitor(t *testing.T, capacity int, items int64, kinds ...Kind) *monitor {
	t.Helper()
	o := Options{Capacity: capacity, Items: items}
	m, end, err := o.make()
	require.NoError(t, err)
	t.Cleanup(end)
	m.lock()
	t.Cleanup(m.unlock)
	for i, kind := range kinds {
		me, ok := m.join(kind, i)
		require.True(t, ok)
		require.Equal(t, i, me)
	}
	return m
}

func TestItemsGoThroughTheBufferInTheirOrder(t *testing.T) {
	m := newMonitor(t, 2, 7, Producer, Producer, Consumer)
	for m.consumed < m.items {
		// Never full or empty when they come, so nobody waits.
		require.True(t, m.put(int(m.produced%2), true))
		if m.produced < m.items {
			require.True(t, m.put(int(m.produced%2), true))
			assert.Equal(t, int32(2), m.filled)
			require.True(t, m.take(2, true))
		}
		require.True(t, m.take(2, true))
	}
	assert.False(t, m.put(0, true), "there are no more items")
	assert.False(t, m.take(2, true))
	assert.Equal(t, [2]int64{}, m.waits)
	assert.Zero(t, m.twice+m.strange+m.disorder)
	assert.Equal(t, []uint64{0b11111110}, m.bits, "every item was checked off")
	assert.Equal(t, int64(4), m.member[0].sent)
	assert.Equal(t, int64(3), m.member[1].seen)
}

func TestNobodyPutsOrTakesWhenTheRunHasStopped(t *testing.T) {
	m := newMonitor(t, 1, 7, Producer, Consumer)
	require.True(t, m.put(0, true))
	m.stopRun(interrupted)
	m.stopRun(died)
	assert.Equal(t, interrupted, m.stop, "the first reason counts")
	assert.False(t, m.put(0, true), "though it is full, there is no wait")
	assert.False(t, m.take(1, true))
}

func TestCheckOffFindsWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		what                     string
		slots                    []slot
		twice, strange, disorder int64
	}{
		{"two producers, each in order", []slot{{1, 1, 0}, {3, 1, 1}, {2, 2, 0}}, 0, 0, 0},
		{"an item twice", []slot{{1, 1, 0}, {1, 2, 0}}, 1, 0, 0},
		{"the last item of a word and the first of the next", []slot{{63, 1, 0}, {64, 2, 0}}, 0, 0, 0},
		{"two of a producer exchanged", []slot{{2, 2, 0}, {1, 1, 0}}, 0, 0, 2},
		{"one of a producer left out", []slot{{1, 1, 0}, {3, 3, 0}}, 0, 0, 1},
		{"an empty slot", []slot{{}}, 0, 1, 0},
		{"more than there are", []slot{{101, 1, 0}}, 0, 1, 0},
	} {
		m := newMonitor(t, 1, 100, Producer, Producer)
		for _, s := range c.slots {
			m.checkOff(s)
		}
		assert.Equal(t, []int64{c.twice, c.strange, c.disorder}, []int64{m.twice, m.strange, m.disorder}, c.what)
	}
}

func TestOneThatWaitsIsWokenWhenTheTurnIsOver(t *testing.T) {
	for _, c := range []struct {
		variant Variant
		turn    int
		woken   [3]int32 // after each of three items, with two consumers asleep
	}{
		{While, 1, [3]int32{1, 2, 2}},
		{While, 2, [3]int32{0, 1, 1}},
		{While, 9, [3]int32{0, 0, 0}},
		{Broadcast, 1, [3]int32{2, 2, 2}},
		{Broadcast, 2, [3]int32{0, 2, 2}},
	} {
		m := newMonitor(t, 3, 7, Producer, Consumer, Consumer)
		m.variant, m.turn = c.variant, c.turn
		asleep := m.condition(notEmpty)
		m.waiting[asleep] = 2
		for i, want := range c.woken {
			require.True(t, m.put(0, true))
			assert.Equal(t, want, m.woken[asleep], "%+v: item %d", c, i)
		}
		m.pay()
		assert.Positive(t, m.woken[asleep], "%+v: before the mutex is given up", c)
	}
}
