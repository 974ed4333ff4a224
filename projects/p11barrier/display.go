package p11barrier

import (
	"fmt"
	"io"
	"os"
)

// display shows the rounds one after the other, though a process may be at the next
// barrier before another one has said that it passed this one.
type display struct {
	out    io.Writer
	quiet  bool
	round  int         // that is being shown
	passed map[int]int // by process, its last round
	early  []event     // of the next round
}

func newDisplay(out io.Writer, processes int, quiet bool) *display {
	d := &display{out: out, quiet: quiet, round: 1, passed: map[int]int{}}
	for index := 1; index <= processes; index++ {
		d.passed[index] = 0
	}
	return d
}

func (d *display) begin(cfg Config) {
	fmt.Fprintf(d.out, "Barrier Test (%d processes, %d iterations)\n\n", cfg.Processes, cfg.Iterations)
}

func (d *display) event(e event) {
	switch {
	case e.what == hasPassed:
		d.pass(int(e.index), int(e.n))
	case int(e.n) > d.round:
		d.early = append(d.early, e)
	default:
		fmt.Fprintf(d.out, "[P%d] Reached barrier %d\n", e.index, e.n)
	}
}

func (d *display) pass(index, round int) {
	d.passed[index] = round
	for _, last := range d.passed {
		if last < d.round {
			return
		}
	}
	fmt.Fprintf(d.out, "--- All processes passed barrier %d ---\n\n", d.round)
	d.round++
	d.flush()
}

// flush shows what was held back.
func (d *display) flush() {
	early := d.early
	d.early = nil
	for _, e := range early {
		fmt.Fprintf(d.out, "[P%d] Reached barrier %d\n", e.index, e.n)
	}
}

func (d *display) again(index, signal, round int) {
	if !d.quiet {
		fmt.Fprintf(d.out, "[P%d] Killed by signal %d, started again in round %d\n", index, signal, round)
		d.pass(index, max(round-1, d.passed[index]))
	}
}

func (d *display) complain(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "barrier_test: %s\n", fmt.Sprintf(format, args...))
}
