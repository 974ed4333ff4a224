package p12shmring

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "unpipc/projects/internal/litmus"
)

// The model of sleeping: one side publishes so many times, the other waits for each. How
// the word and the index are written is what is tried.
func sleeping(rounds int, publish, announce Order) (waker, sleeper Thread) {
	const (
		flag = 0 // waker's register: the other one's word
		seen = 0 // sleeper's register: the tail
		word = 1 // sleeper's register: its own word when it slept
	)
	for n := 1; n <= rounds; n++ {
		look := Load("sleeps", Acquire, flag)
		wake := Store("sleeps", Release, awake)
		wake.Name, wake.Wakes = "wake", true
		wake.Needs = []int{flag}
		wake.If = func(r *Registers) bool { return r[flag] == asleep }
		waker = append(waker, Store("tail", publish, n), look, wake)

		dry := func(r *Registers) bool { return r[seen] < n }
		first := Load("tail", Acquire, seen)
		say := Store("sleeps", announce, asleep)
		again := Load("tail", Acquire, seen)
		sleep := Load("sleeps", Acquire, word)
		sleep.Name, sleep.Sleep = "futex", true
		sleep.Until = func(v int, _ *Registers) bool { return v != asleep }
		say.Needs, say.If = []int{seen}, dry
		again.Needs, again.If = []int{seen}, dry
		sleep.Needs, sleep.If = []int{seen}, dry
		unsay := Store("sleeps", Release, awake)
		// Once woken, or not having slept, what was waited for must be there.
		there := Await("tail", Acquire, seen, func(v int, _ *Registers) bool { return v >= n })
		sleeper = append(sleeper, first, say, again, sleep, unsay, there)
	}
	return waker, sleeper
}

func TestNoWakeUpIsLostUnderAnyModel(t *testing.T) {
	for _, m := range []Model{SC, TSO, Weak} {
		for rounds := range 4 {
			w, s := sleeping(rounds, Full, Full)
			r := Explore(m, w, s)
			assert.Nil(t, r.Stuck, "%v, %d rounds:\n%s", m, rounds, Story(r.Stuck))
			assert.NotEmpty(t, r.Ends)
		}
	}
}

// The negative control. Unlike the barriers of exercise 15 these two are needed on x86
// as well: a store and a later load of another word are what its store buffer swaps.
func TestWithoutEitherFenceAWakeUpIsLostOnX86Too(t *testing.T) {
	for name, orders := range map[string][2]Order{
		"the producer's": {Release, Full},
		"the sleeper's":  {Full, Release},
	} {
		w, s := sleeping(1, orders[0], orders[1])
		for _, m := range []Model{TSO, Weak} {
			r := Explore(m, w, s)
			require.NotNil(t, r.Stuck, "%v without %s fence", m, name)
			t.Logf("%v without %s fence:\n%s", m, name, Story(r.Stuck))
		}
		assert.Nil(t, Explore(SC, w, s).Stuck, name)
	}
}

// A sleeper that does not look again after it has said that it sleeps.
func TestWithoutTheSecondLookAWakeUpIsLostEvenUnderSC(t *testing.T) {
	w, s := sleeping(1, Full, Full)
	var hasty Thread
	for i, x := range s {
		if i != 2 {
			hasty = append(hasty, x)
		}
	}
	require.Equal(t, "read tail", s[2].Name)
	assert.NotNil(t, Explore(SC, w, hasty).Stuck)
}

// The records: a message is written before its tail, and read before the head.
func TestTheOrdersOfTheIndicesKeepMessagesWhole(t *testing.T) {
	build := func(tail, head Order) (p, c Thread) {
		for n := 1; n <= 3; n++ {
			room := Await("head", Acquire, 0, func(v int, _ *Registers) bool { return n-v <= 1 })
			p = append(p, room, Store("bytes", Relaxed, n), Store("tail", tail, n))
			some := Await("tail", Acquire, 0, func(v int, _ *Registers) bool { return v >= n })
			read := Load("bytes", Relaxed, n)
			read.Check = func(v int, _ *Registers) string {
				if v != n {
					return fmt.Sprintf("message %d instead of %d", v, n)
				}
				return ""
			}
			c = append(c, some, read, Store("head", head, n))
		}
		return p, c
	}
	p, c := build(Full, Full)
	assert.Nil(t, Explore(Weak, p, c).Wrong)
	p, c = build(Relaxed, Full)
	assert.NotNil(t, Explore(Weak, p, c).Wrong)
	p, c = build(Full, Relaxed)
	assert.NotNil(t, Explore(Weak, p, c).Wrong)
}
