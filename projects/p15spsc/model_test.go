package p15spsc

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "unpipc/projects/internal/litmus"
)

// orders are the four barriers of the queue.
type orders struct{ tailStore, tailLoad, headStore, headLoad Order }

var proper = orders{tailStore: Release, tailLoad: Acquire, headStore: Release, headLoad: Acquire}

// model is both sides' programs for so many items in so many slots. Each side looks at
// the other's index only when what it remembers of it is used up, and publishes its own
// after every so many items, and at the end or, as look does, before it waits.
func model(items, capacity, every int, o orders) (producer, consumer Thread) {
	const remembered = 0 // register: the other's index
	slot := func(n int) string { return fmt.Sprintf("slot %d", n%capacity) }
	published := 0
	publish := func(address string, order Order, done int) []Access {
		if done == published || done-published < every && done != items {
			return nil
		}
		published = done
		return []Access{Store(address, order, done)}
	}
	for n := range items {
		look := Await("head", o.headLoad, remembered, func(v int, _ *Registers) bool { return n-v < capacity })
		look.Needs = []int{remembered}
		look.If = func(r *Registers) bool { return n-r[remembered] >= capacity }
		producer = append(producer, look, Store(slot(n), Relaxed, n+1))
		producer = append(producer, publish("tail", o.tailStore, n+1)...)
	}
	published = 0
	for n := range items {
		look := Await("tail", o.tailLoad, remembered, func(v int, _ *Registers) bool { return v > n })
		look.Needs = []int{remembered}
		look.If = func(r *Registers) bool { return r[remembered] <= n }
		read := Load(slot(n), Relaxed, 1+n)
		read.Check = func(v int, _ *Registers) string {
			if v != n+1 {
				return fmt.Sprintf("item %d instead of %d", v-1, n)
			}
			return ""
		}
		consumer = append(consumer, look, read)
		consumer = append(consumer, publish("head", o.headStore, n+1)...)
	}
	return producer, consumer
}

func TestNoOrderOfEventsBreaksTheQueue(t *testing.T) {
	for _, m := range []Model{SC, TSO, Weak} {
		for _, size := range []struct{ items, capacity, every int }{
			{5, 1, 1}, {5, 2, 1}, {5, 3, 1}, {4, 4, 2}, {6, 2, 1}, {6, 4, 2},
		} {
			p, c := model(size.items, size.capacity, size.every, proper)
			r := Explore(m, p, c)
			assert.Nil(t, r.Wrong, "%v %+v:\n%s", m, size, Story(r.Wrong))
			assert.Nil(t, r.Stuck, "%v %+v:\n%s", m, size, Story(r.Stuck))
			assert.NotEmpty(t, r.Ends)
			t.Logf("%v %+v: %d states", m, size, r.States)
		}
	}
}

// The negative control: the search finds what each barrier is for. And the honest
// other half: none of the four is missed on a processor with total store order.
func TestEachMissingBarrierIsFoundAndX86HidesThemAll(t *testing.T) {
	for name, o := range map[string]orders{
		"release of the tail": {Relaxed, Acquire, Release, Acquire},
		"acquire of the tail": {Release, Relaxed, Release, Acquire},
		"release of the head": {Release, Acquire, Relaxed, Acquire},
		"acquire of the head": {Release, Acquire, Release, Relaxed},
	} {
		p, c := model(3, 1, 1, o)
		r := Explore(Weak, p, c)
		require.NotNil(t, r.Wrong, "without the %s nothing goes wrong", name)
		t.Logf("without the %s:\n%s", name, Story(r.Wrong))
		for _, m := range []Model{SC, TSO} {
			assert.Nil(t, Explore(m, p, c).Wrong, "%s, %v", name, m)
		}
	}
}

// Errors in the protocol are found under every model.
func TestAnIndexPublishedTooEarlyIsFoundEvenUnderSC(t *testing.T) {
	swapped := func(thread Thread, address string) Thread {
		thread = append(Thread(nil), thread...)
		for i, x := range thread {
			if x.Address == address && x.Value != nil {
				thread[i-1], thread[i] = thread[i], thread[i-1]
			}
		}
		return thread
	}
	p, c := model(3, 1, 1, proper)
	assert.NotNil(t, Explore(SC, swapped(p, "tail"), c).Wrong, "the tail before the item")
	assert.NotNil(t, Explore(SC, p, swapped(c, "head")).Wrong, "the head before the item is read")
	p, _ = model(3, 2, 1, proper) // believes in a slot more than there is
	for i := range p {
		if p[i].Value != nil && p[i].Address == "slot 1" {
			p[i].Address = "slot 0"
		}
	}
	assert.NotNil(t, Explore(SC, p, c).Wrong, "one item more than slots")
}
