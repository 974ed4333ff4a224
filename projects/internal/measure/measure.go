// Package measure compares the same thing done in several ways on a machine that
// is never quiet.
//
// A [Row] is one quantity; its variants are the ways to do it, ours first, each
// other one a peer that ours is held against. [Run] first finds for every variant
// how many operations fill the time of one run, which warms everything up and is
// thrown away. Then it goes through rounds: in each round every variant runs
// once, in an order that rotates from round to round, and the ratio of ours to
// each peer is taken within the round. Load that lasts longer than a round hits
// all variants alike and leaves the ratio as it is. What is reported is the
// median with the least and the greatest.
//
// A run that does not prove that every one of its operations was right makes the
// row failed, whatever its speed: a failed row has no figures.
package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Row is one quantity to be measured.
type Row struct {
	Group string // the table it stands in: "transfer", "exercise 1"
	// Name says which quantity: bw_pipe is throughput, lat_pipe a round trip,
	// incr_mutex a counter incremented by several; else a plain name.
	Name  string
	What  string // between which two points it is measured
	Check string // how every operation is verified
	Size  int    // bytes of payload in one operation, 0 if there is none
	// Workers is how many take part, in rows that differ in it; else 0.
	Workers int
	Unit    Unit
	// Variants begin with ours.
	Variants []Variant
	// Detail is true of a row that tells nearly what another one tells, or takes long:
	// [Config.Quick] leaves it out.
	Detail bool
	// Beside is about what each run of a variant takes beside what it measures, where
	// that is much: it is set aside when all rows share a time. [Config.Quick] is taken
	// to make it a tenth.
	Beside time.Duration
	// Least is how short a run may be at most where its begin or its end would show in a
	// short one: see [Crowd].
	Least time.Duration
	// Kept is what runs of this row leave for later ones, such as servers, and rows next to
	// it that have the same: it is closed after the last of them. May be nil.
	Kept io.Closer
}

// Sweep is a row for each of the names and sizes: the given one, with that name behind its
// own, of that size, and with the variants for both.
func Sweep(row Row, names []string, sizes []int, variants func(name string, size int) []Variant) []Row {
	var rows []Row
	for _, name := range names {
		for _, size := range sizes {
			r := row
			r.Name, r.Size, r.Variants = row.Name+name, size, variants(name, size)
			rows = append(rows, r)
		}
	}
	return rows
}

// Crowd is [Row.Least] where several work together: it takes milliseconds until all of them
// are awake, or have ended, and those who come first find nobody there.
const Crowd = 60 * time.Millisecond

// Unit is the unit of a row's values, which follow from the number of operations
// and the time they took.
type Unit string

// The units with a meaning of their own. Any other one that ends in "/s" counts
// operations a second.
const (
	Messages    Unit = "msg/s" // operations a second
	Bytes       Unit = "B/s"   // operations times Row.Size a second
	Nanoseconds Unit = "ns"    // time of one operation, see [Sample]; less is better
)

// LowerIsBetter is true of times and false of rates.
func (u Unit) LowerIsBetter() bool { return !strings.HasSuffix(string(u), "/s") }

// Variant is one way to do what a row measures.
type Variant struct {
	Name string // "Go", "C", "bash"
	// Run does the work n times in fresh processes and verifies it. Its context
	// has the deadline of the run.
	Run func(ctx context.Context, cfg *Config, n int64) (Sample, error)
	// Goal of a peer is the ratio of ours to it that is to be reached: at least
	// this for a rate, at most this for a time. 0: none, but for [Twin] its usual one.
	Goal float64
}

// Both is a variant of two processes, whose programs are the same.
func Both(name string, p Program, goal float64,
	run func(ctx context.Context, cfg *Config, a, b Program, n int64) (Sample, error)) Variant {
	return Variant{Name: name, Goal: goal, Run: func(ctx context.Context, cfg *Config, n int64) (Sample, error) {
		return run(ctx, cfg, p, p, n)
	}}
}

// Twin is the name of a variant that does the same in C. Ours is to be no slower than it
// by more than a tenth where an operation has a message of 1 KiB or more, and by half
// where it has less or none.
const Twin = "C"

// NoGoal is the Goal of a twin that ours is not held to.
const NoGoal = -1

// goal is what the ratio to the variant is to reach, 0 if nothing.
func (v *Variant) goal(row *Row) float64 {
	if v.Goal != 0 || v.Name != Twin {
		return max(v.Goal, 0)
	}
	slower := 1.5
	if row.Size >= 1<<10 {
		slower = 1.1
	}
	if row.Unit.LowerIsBetter() {
		return slower
	}
	return 1 / slower
}

// Sample is the result of one run. With Times, the value of a row in Nanoseconds
// is the mean of all but the slowest twentieth of them: what else the machine did
// shows in those. The median would be as steady, but where a wake-up comes in two
// speeds it jumps from one to the other.
type Sample struct {
	Elapsed  time.Duration           // for all operations
	Verified int64                   // operations that were proved right
	Times    *hdrhistogram.Histogram // ns of each operation; may be nil
}

// Config says how to measure. A zero field has the default named.
type Config struct {
	Runs   int           // rounds: 5
	Budget time.Duration // time that one run is to fill: 300 ms
	// Total is the time for all rows together. They share it evenly among their
	// variants, and have shorter runs where it does not last for runs of Budget, and fewer
	// rounds, but three, where not even for those; what one does not need is for those
	// after it. 0: as long as it takes.
	Total time.Duration
	// Quick asks rows for the least that still means something: those that prepare
	// much for each run prepare less, and those that are [Row.Detail] are left out.
	Quick   bool
	Timeout time.Duration // after which a run is killed and failed: 30 s
	Sizes   []int         // message sizes in bytes, for rows that have several
	Pin     []int         // CPUs for the processes of a run, in turn; none: as the row has it
	// RealTime runs the processes at SCHED_RR priority 1, ahead of whatever else
	// the machine does; it needs privilege.
	RealTime bool
	Bin      string // folder of the programs as "make build" leaves them
}

// Defaults is cfg with the defaults in place of zero fields.
func (cfg Config) Defaults() Config {
	if cfg.Runs <= 0 {
		cfg.Runs = 5
	}
	if cfg.Budget <= 0 {
		cfg.Budget = 300 * time.Millisecond
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 30 * time.Second
	}
	return cfg
}

// SizesOr are the sizes asked for, else these.
func (cfg *Config) SizesOr(sizes []int) []int {
	if len(cfg.Sizes) > 0 {
		return cfg.Sizes
	}
	return sizes
}

// Warmup is how many messages of a size go ahead of those that are measured, and are
// verified in full: a few of the largest, enough of the small ones that the processes run
// at speed.
func Warmup(size int) int { return min(max(1<<18/size, 2), 64) }

// errSkip is in the errors of [Skip].
var errSkip = errors.New("cannot be measured here")

// Skip is the error of a variant that this machine does not allow: a missing
// shell, a limit of the kernel. It is reported as such, not as a failure.
func Skip(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errSkip, fmt.Errorf(format, args...))
}

// Skipped is the reason inside an error of [Skip]; ok is false of any other.
func Skipped(err error) (reason string, ok bool) {
	if !errors.Is(err, errSkip) {
		return "", false
	}
	return strings.TrimPrefix(err.Error(), errSkip.Error()+": "), true
}
