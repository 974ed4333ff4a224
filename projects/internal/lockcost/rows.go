package lockcost

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"unpipc/projects/internal/measure"
)

// fusedGoal is what lock, increment and unlock of a robust mutex in one call are held
// to: this part of the rate of the same three in C.
const fusedGoal = 0.35

const checked = "the counter's final value is the number of increments"

// entry is a row: a lock as Go has it, the same in C, and who uses it.
type entry struct {
	name, lock string
	inC        string // "": as in Go
	workers    int
	processes  bool
	goal       float64
	withGo     bool // sync.Mutex as a peer
}

// calls have one worker.
var calls = []entry{
	{name: "call_mutex", lock: "mutex", withGo: true},
	{name: "call_mutex_libc", lock: "mutex_libc", inC: "mutex"},
	{name: "call_mutex_fused", lock: "mutex_fused", inC: "mutex"},
	{name: "call_mutex_errorcheck", lock: "mutex_errorcheck"},
	{name: "call_mutex_recursive", lock: "mutex_recursive"},
	{name: "call_mutex_robust", lock: "mutex_robust"},
	{name: "call_mutex_robust_fused", lock: "mutex_robust_fused", inC: "mutex_robust", goal: fusedGoal},
	{name: "call_rwlock_read", lock: "rwlock_read"},
	{name: "call_rwlock_write", lock: "rwlock_write"},
	{name: "call_spin", lock: "spin"},
	{name: "call_sem", lock: "sem"},
	{name: "call_sem_libc", lock: "sem_libc", inC: "sem"},
	{name: "call_semop", lock: "semop"},
	{name: "call_semop_undo", lock: "semop_undo"},
	{name: "call_reclock", lock: "reclock"},
	{name: "call_reclock_ofd", lock: "reclock_ofd"},
}

// contended have several. A spin lock has no more of them than there are usually CPUs: a
// worker that spins for one that does not run would be all there is to measure.
var contended = []entry{
	{name: "incr_mutex", lock: "mutex", workers: 4, withGo: true},
	{name: "incr_mutex_libc", lock: "mutex_libc", inC: "mutex", workers: 4},
	{name: "incr_mutex_fused", lock: "mutex_fused", inC: "mutex", workers: 4},
	{name: "incr_mutex_robust", lock: "mutex_robust", workers: 4, processes: true},
	{name: "incr_mutex_robust_fused", lock: "mutex_robust_fused", inC: "mutex_robust", workers: 4, processes: true},
	{name: "incr_rwlock", lock: "rwlock_write", workers: 4},
	{name: "incr_spin", lock: "spin", workers: 2},
	{name: "incr_sem", lock: "sem", workers: 4, processes: true},
	{name: "incr_sem_libc", lock: "sem_libc", inC: "sem", workers: 4, processes: true},
	{name: "incr_semop", lock: "semop", workers: 4, processes: true},
	{name: "incr_semop_undo", lock: "semop_undo", workers: 4, processes: true},
	{name: "incr_reclock", lock: "reclock", workers: 4, processes: true},
	{name: "incr_reclock_ofd", lock: "reclock_ofd", workers: 4},
}

// wakeUps are of two processes that take turns.
var wakeUps = []entry{
	{name: "lat_cond", lock: "cond_turns", workers: 2, processes: true},
	{name: "lat_barrier", lock: "barrier_turns", workers: 2, processes: true},
	{name: "lat_sem", lock: "sem_turns", workers: 2, processes: true},
	{name: "lat_semop", lock: "semop_turns", workers: 2, processes: true},
}

// Rows are all rows of this package. Sizes of cfg mean nothing to them.
func Rows(measure.Config) []measure.Row {
	var rows []measure.Row
	for _, e := range calls {
		e.workers = 1
		rows = append(rows, e.row("lock calls", "pairs/s",
			"one thread locks, increments a counter and unlocks, with nobody else there", checked))
	}
	for _, e := range contended {
		rows = append(rows, e.row("lock contention", "increments/s",
			fmt.Sprintf("%d %s increment one counter, each time under the lock; from when they are let go "+
				"until the last one is done", e.workers, e.kind()), checked))
	}
	for _, e := range wakeUps {
		what, check := "two processes take turns: from when one of them goes on until it does so again, "+
			"the other having had its turn", "whoever has the turn finds the counter at its turn; the counter's final value"
		if e.lock == "barrier_turns" {
			what = "two processes meet at a barrier: one round"
			check = "each finds, after the barrier, that the other has come; one serial answer a round"
		}
		rows = append(rows, e.row("lock wake-ups", measure.Nanoseconds, what, check))
	}
	return rows
}

func (e *entry) kind() string {
	if e.processes {
		return "processes"
	}
	return "threads"
}

// Who uses the locks.
var inGo, inC = measure.Role(roleArgument), measure.Reference("lockcost")

func (e *entry) row(group string, unit measure.Unit, what, check string) measure.Row {
	lock := e.inC
	if lock == "" {
		lock = e.lock
	}
	variants := []measure.Variant{
		e.variant("Go", inGo, e.lock, 0),
		e.variant("C", inC, lock, e.goal),
	}
	if e.withGo {
		variants = append(variants, e.variant("Go, sync.Mutex", inGo, "sync_mutex", 0))
	}
	return measure.Row{Group: group, Name: e.name, What: what, Check: check, Unit: unit, Variants: variants}
}

func (e *entry) variant(name string, p measure.Program, lock string, goal float64) measure.Variant {
	flags := []string{"--lock", lock, "--workers", strconv.Itoa(e.workers)}
	if e.processes {
		flags = append(flags, "--processes")
	}
	return measure.Variant{Name: name, Goal: goal,
		Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
			return measure.Alone(ctx, cfg, "lockcost", p, slices.Concat(flags, []string{"--count", strconv.FormatInt(n, 10)})...)
		}}
}
