package lockcost

import (
	"runtime"
	"time"
)

// pace is when a worker that mostly sleeps in C has last been through Go's scheduler.
type pace struct {
	waits  int // since it has last looked at the clock
	rested time.Time
}

// A worker looks at the clock after lookAfter waits, which take a millisecond or less, and
// rests for every restAfter.
const (
	lookAfter = 16
	restAfter = 8 * time.Millisecond
)

// rest lets the scheduler have this thread for a moment if it has not had it for long, as
// package pthread says of one that mostly sleeps in C. No lock may be held.
func (p *pace) rest() {
	if p.waits++; p.waits < lookAfter {
		return
	}
	p.waits = 0
	if now := time.Now(); now.Sub(p.rested) >= restAfter {
		p.rested = now
		runtime.Gosched()
	}
}
