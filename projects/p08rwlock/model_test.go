package p08rwlock

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "unpipc/projects/internal/litmus"
)

// coming is a reader and a writer who come at the same time, and look at one another.
func coming(reader, writer Order) (r, w Thread) {
	return Thread{Store("slot", reader, 1), Load("writer", Acquire, 0)},
		Thread{Store("writer", writer, 1), Load("slot", Acquire, 0)}
}

// together says whether there is an end in which neither has seen the other.
func together(r Result) bool {
	for _, end := range r.Ends {
		if end.Registers[0][0] == 0 && end.Registers[1][0] == 0 {
			return true
		}
	}
	return false
}

func TestAReaderAndAWriterAreNeverInTogetherUnderAnyModel(t *testing.T) {
	for _, m := range []Model{SC, TSO, Weak} {
		r, w := coming(Full, Full)
		assert.False(t, together(Explore(m, r, w)), m)
	}
}

// The negative control: this is the instruction that cannot be saved.
func TestWithoutEitherExchangeTheyAreOnX86Too(t *testing.T) {
	for name, orders := range map[string][2]Order{
		"reader's": {Release, Full}, "writer's": {Full, Release},
	} {
		r, w := coming(orders[0], orders[1])
		assert.False(t, together(Explore(SC, r, w)), name)
		assert.True(t, together(Explore(TSO, r, w)), name)
	}
}

// leaving is a reader who leaves, and a writer who sleeps until that. The slot is 1 when
// it is empty.
func leaving(store Order, barrier Access) (r, w Thread) {
	const writer, event, slot = 0, 1, 0 // registers
	look := Load("event", Acquire, event)
	look.Needs, look.If = []int{writer}, func(r *Registers) bool { return r[writer] != 0 }
	wake := Store("event", Full, 2)
	wake.Name, wake.Wakes = "wake", true
	wake.Needs, wake.If = []int{writer, event}, func(r *Registers) bool { return r[writer] != 0 && r[event] == 1 }
	r = Thread{Store("slot", store, 1), Load("writer", Acquire, writer), look, wake}

	full := func(r *Registers) bool { return r[slot] == 0 }
	sleep := Load("event", Acquire, event)
	sleep.Name, sleep.Sleep = "futex", true
	sleep.Until = func(v int, _ *Registers) bool { return v != 1 }
	sleep.Needs, sleep.If = []int{slot}, full
	again := Load("slot", Acquire, slot)
	again.Needs, again.If = []int{slot}, full
	again.Check = func(v int, _ *Registers) string {
		if v == 0 {
			return "woken before the reader has left"
		}
		return ""
	}
	w = Thread{Store("writer", Full, 1), Store("event", Full, 1), barrier, Load("slot", Acquire, slot), sleep, again}
	return r, w
}

func TestNoWakeUpByAPlainStoreIsLostUnderAnyModel(t *testing.T) {
	for _, m := range []Model{SC, TSO, Weak} {
		r, w := leaving(Release, Membarrier())
		result := Explore(m, r, w)
		assert.Nil(t, result.Stuck, "%v:\n%s", m, Story(result.Stuck))
		assert.Nil(t, result.Wrong, "%v:\n%s", m, Story(result.Wrong))
		assert.NotEmpty(t, result.Ends)
	}
}

// The negative control: a barrier of the writer's own is not enough.
func TestWithoutTheMembarrierAWakeUpIsLostOnX86Too(t *testing.T) {
	r, w := leaving(Release, Fence())
	assert.Nil(t, Explore(SC, r, w).Stuck)
	for _, m := range []Model{TSO, Weak} {
		result := Explore(m, r, w)
		require.NotNil(t, result.Stuck, m)
		t.Logf("%v:\n%s", m, Story(result.Stuck))
		r, w := leaving(Full, Fence())
		assert.Nil(t, Explore(m, r, w).Stuck, "but it is if the reader leaves by an exchange")
	}
}

// What a reader reads is read before his slot is empty.
func TestNothingThatAReaderReadsIsWrittenByTheNextWriter(t *testing.T) {
	for store, want := range map[Order]bool{Release: false, Relaxed: true} {
		read := Load("data", Relaxed, 0)
		read.Check = func(v int, _ *Registers) string { return []string{"", "too new"}[v] }
		left := Await("slot", Acquire, 0, func(v int, _ *Registers) bool { return v == 1 })
		result := Explore(Weak, Thread{read, Store("slot", store, 1)}, Thread{left, Store("data", Relaxed, 1)})
		assert.Equal(t, want, result.Wrong != nil, store)
	}
}
