// Package yield gives Go's scheduler its turn in a loop that does little but call the kernel
// or C.
//
// The runtime's monitor expects the goroutine on a P to change within ten milliseconds. One
// that goes from one call that sleeps to the next never changes; so from then on the monitor
// takes its P away in whatever call it finds it, looks for that every 20 µs, and wakes another
// thread to use the P. To get it back costs more than the call. [runtime.Gosched] before that
// keeps the P; but each time it wakes another thread too, or, in a goroutine that is locked to
// its own, switches threads four times. So it is to be called by the clock: a [Pace] tells when.
package yield

import (
	"runtime"
	"time"
)

// After is how long a goroutine may go on: less than the runtime's ten milliseconds, by what
// may go by until a Pace looks at the clock again.
const After = 6 * time.Millisecond

// Pace is that of one goroutine. The zero value is ready.
type Pace struct {
	steps int // since it has last looked at the clock
	last  time.Time
}

// Due says whether it is time to call [runtime.Gosched], which the caller then does, with no
// lock held. It looks at the clock in every one of so many steps, which should take a
// millisecond or less.
func (p *Pace) Due(steps int) bool {
	if p.steps++; p.steps < steps {
		return false
	}
	p.steps = 0
	now := time.Now()
	if now.Sub(p.last) < After {
		return false
	}
	p.last = now
	return true
}

// Step calls [runtime.Gosched] if that is due.
func (p *Pace) Step(steps int) {
	if p.Due(steps) {
		runtime.Gosched()
	}
}
