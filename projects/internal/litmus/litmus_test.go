package litmus_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"unpipc/gobind/ipctest"
	. "unpipc/projects/internal/litmus"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// reaches says whether some end has these values in registers 0 and 1 of both threads.
func reaches(r Result, want [2][2]int) bool {
	for _, end := range r.Ends {
		if end.Registers[0][0] == want[0][0] && end.Registers[0][1] == want[0][1] &&
			end.Registers[1][0] == want[1][0] && end.Registers[1][1] == want[1][1] {
			return true
		}
	}
	return false
}

// The classical tests, with the answers that the architectures' manuals give.
func TestEachModelAllowsWhatItIsKnownToAllow(t *testing.T) {
	for name, test := range map[string]struct {
		a, b Thread
		odd  [2][2]int
		want map[Model]bool
	}{
		"store buffering: both may miss the other's store": {
			Thread{Store("x", Relaxed, 1), Load("y", Relaxed, 0)},
			Thread{Store("y", Relaxed, 1), Load("x", Relaxed, 0)},
			[2][2]int{}, map[Model]bool{SC: false, TSO: true, Weak: true},
		},
		"store buffering with release and acquire: they do not forbid it": {
			Thread{Store("x", Release, 1), Load("y", Acquire, 0)},
			Thread{Store("y", Release, 1), Load("x", Acquire, 0)},
			[2][2]int{}, map[Model]bool{SC: false, TSO: true, Weak: true},
		},
		"store buffering with fences": {
			Thread{Store("x", Relaxed, 1), Fence(), Load("y", Relaxed, 0)},
			Thread{Store("y", Relaxed, 1), Fence(), Load("x", Relaxed, 0)},
			[2][2]int{}, map[Model]bool{SC: false, TSO: false, Weak: false},
		},
		"store buffering with a barrier of one thread's own": {
			Thread{Store("x", Relaxed, 1), Load("y", Relaxed, 0)},
			Thread{Store("y", Relaxed, 1), Fence(), Load("x", Relaxed, 0)},
			[2][2]int{}, map[Model]bool{SC: false, TSO: true, Weak: true},
		},
		"store buffering with one thread's barrier for both": {
			Thread{Store("x", Relaxed, 1), Load("y", Relaxed, 0)},
			Thread{Store("y", Relaxed, 1), Membarrier(), Load("x", Relaxed, 0)},
			[2][2]int{}, map[Model]bool{SC: false, TSO: false, Weak: false},
		},
		"message passing without barriers": {
			Thread{Store("x", Relaxed, 1), Store("y", Relaxed, 1)},
			Thread{Load("y", Relaxed, 0), Load("x", Relaxed, 1)},
			[2][2]int{{}, {1, 0}}, map[Model]bool{SC: false, TSO: false, Weak: true},
		},
		"message passing with a release only": {
			Thread{Store("x", Relaxed, 1), Store("y", Release, 1)},
			Thread{Load("y", Relaxed, 0), Load("x", Relaxed, 1)},
			[2][2]int{{}, {1, 0}}, map[Model]bool{SC: false, TSO: false, Weak: true},
		},
		"message passing with release and acquire": {
			Thread{Store("x", Relaxed, 1), Store("y", Release, 1)},
			Thread{Load("y", Acquire, 0), Load("x", Relaxed, 1)},
			[2][2]int{{}, {1, 0}}, map[Model]bool{SC: false, TSO: false, Weak: false},
		},
		"load buffering": {
			Thread{Load("x", Relaxed, 0), Store("y", Relaxed, 1)},
			Thread{Load("y", Relaxed, 0), Store("x", Relaxed, 1)},
			[2][2]int{{1}, {1}}, map[Model]bool{SC: false, TSO: false, Weak: true},
		},
	} {
		for _, model := range []Model{SC, TSO, Weak} {
			r := Explore(model, test.a, test.b)
			assert.Equal(t, test.want[model], reaches(r, test.odd), "%s, %v", name, model)
			assert.Nil(t, r.Stuck)
			assert.Nil(t, r.Wrong)
		}
	}
}

func TestThreadsThatWaitForEachOtherAreStuck(t *testing.T) {
	set := func(v int, _ *Registers) bool { return v == 1 }
	a := Thread{Await("x", Acquire, 0, set), Store("y", Release, 1)}
	b := Thread{Await("y", Acquire, 0, set), Store("x", Release, 1)}
	r := Explore(SC, a, b)
	assert.NotNil(t, r.Stuck)
	assert.Empty(t, r.Ends)
}

func TestASleeperIsWokenOnlyByAStoreThatWakes(t *testing.T) {
	sleep := Load("x", Acquire, 0)
	sleep.Sleep, sleep.Until = true, func(v int, _ *Registers) bool { return v == 1 }
	wake := Store("x", Release, 1)
	r := Explore(SC, Thread{sleep}, Thread{wake})
	assert.NotNil(t, r.Stuck, "%v", r)
	wake.Wakes = true
	assert.Nil(t, Explore(SC, Thread{sleep}, Thread{wake}).Stuck)
}
