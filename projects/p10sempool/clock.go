package p10sempool

import (
	"time"

	"golang.org/x/sys/unix"
)

// now is CLOCK_MONOTONIC in nanoseconds: the same for all processes. It is what that clock
// showed at a moment of the past, and the time since then, which package time reads from
// the same clock without a system call.
func now() uint64 { return then + uint64(time.Since(past)) }

var past, then = meet()

// meet is a moment of package time's and what the clock showed then, to within the time of
// the quickest of a few system calls.
func meet() (past time.Time, then uint64) {
	shortest := time.Duration(1<<63 - 1)
	for range 5 {
		var ts unix.Timespec
		before := time.Now()
		_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // cannot fail
		if took := time.Since(before); took < shortest {
			shortest, past, then = took, before.Add(took/2), uint64(ts.Nano())
		}
	}
	return past, then
}
