// Package ticks reads the CPU's own counter of time, which costs a third of what
// reading the system's clock does: the time of one operation of some twenty nanoseconds
// is otherwise lost in the clock's.
//
// On amd64 it is the time stamp counter, on arm64 the generic timer; elsewhere the
// system's monotonic clock. All CPUs of a machine count about the same time; a thread
// that moves from one to another may see it go back a little.
package ticks

import (
	"sync"
	"time"
)

// PerNanosecond is how many ticks there are in a nanosecond, found once, against the
// system's clock, in 20 ms.
var PerNanosecond = sync.OnceValue(func() float64 {
	start, first := both()
	for time.Since(start) < 20*time.Millisecond {
	}
	end, last := both()
	return float64(last-first) / float64(end.Sub(start).Nanoseconds())
})

// both reads both clocks, as nearly at the same time as in some tries: this thread may
// have to wait for its CPU in between.
func both() (at time.Time, ticks uint64) {
	least := time.Duration(1<<63 - 1)
	for range 20 {
		before, now := time.Now(), Now()
		if gap := time.Since(before); gap < least {
			least, at, ticks = gap, before, now
		}
	}
	return at, ticks
}

// Cost is the least number of ticks between two readings one after the other: what a
// measured time has too much of.
var Cost = sync.OnceValue(func() uint64 {
	least := ^uint64(0)
	for range 10_000 {
		start, end := Now(), Now()
		if end >= start {
			least = min(least, end-start)
		}
	}
	return least
})
