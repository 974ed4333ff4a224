package lockcost

import (
	"fmt"
	"strconv"
	"time"

	"unpipc/projects/internal/measure"
)

// spread is where several workers are: doc.go says why.
const spread = "; they stay on a CPU each, in turn where there are fewer"

const checked = "the counter's final value is the number of increments"

// entry is a row: a lock as Go has it, the same in C, and who uses it.
type entry struct {
	name, lock string
	inC        string // "": as in Go
	workers    int
	processes  bool
	goal       float64
	withGo     bool // sync.Mutex as a peer
	detail     bool // another one tells nearly the same; of those for both: the threads' does
}

// calls have one worker.
var calls = []entry{
	{name: "call_mutex", lock: "mutex", withGo: true},
	{name: "call_mutex_libc", lock: "mutex_libc", inC: "mutex", goal: measure.NoGoal},
	{name: "call_mutex_fused", lock: "mutex_fused", inC: "mutex"},
	{name: "call_mutex_errorcheck", lock: "mutex_errorcheck", detail: true},
	{name: "call_mutex_recursive", lock: "mutex_recursive", detail: true},
	{name: "call_mutex_robust", lock: "mutex_robust"},
	{name: "call_mutex_robust_fused", lock: "mutex_robust_fused", inC: "mutex_robust"},
	{name: "call_rwlock_read", lock: "rwlock_read"},
	{name: "call_rwlock_write", lock: "rwlock_write", detail: true},
	{name: "call_spin", lock: "spin"},
	{name: "call_sem", lock: "sem"},
	{name: "call_sem_libc", lock: "sem_libc", inC: "sem", goal: measure.NoGoal},
	{name: "call_semop", lock: "semop"},
	{name: "call_semop_undo", lock: "semop_undo"},
	{name: "call_reclock", lock: "reclock"},
	{name: "call_reclock_ofd", lock: "reclock_ofd"},
}

// counted are measured with one worker and more, as UNPv2 appendix A does, as threads and
// as processes. A record lock of a process lets all its threads in: theirs is that of an
// open file description.
var counted = []entry{
	{name: "mutex", lock: "mutex", withGo: true},
	{name: "rwlock", lock: "rwlock_write"},
	{name: "sem", lock: "sem"},
	{name: "sem_named", lock: "sem_named", detail: true},
	{name: "semop", lock: "semop", detail: true},
	{name: "semop_undo", lock: "semop_undo", detail: true},
	{name: "reclock", lock: "reclock", processes: true},
	{name: "reclock_ofd", lock: "reclock_ofd"},
}

// How many contend, and how many where there is time for one number only; of those who
// take turns there are two at least.
var (
	crews     = []int{1, 2, 4, 8}
	quickCrew = 4
	pairCrew  = 2
)

// contended are variations, by four. A spin lock has no more than there are usually CPUs: a
// worker that spins for one that does not run would be all there is to measure.
var contended = []entry{
	{name: "incr_mutex_libc", lock: "mutex_libc", inC: "mutex", workers: 4, goal: measure.NoGoal, detail: true},
	{name: "incr_mutex_fused", lock: "mutex_fused", inC: "mutex", workers: 4},
	{name: "incr_mutex_robust", lock: "mutex_robust", workers: 4, processes: true},
	{name: "incr_mutex_robust_fused", lock: "mutex_robust_fused", inC: "mutex_robust", workers: 4, processes: true},
	{name: "incr_spin", lock: "spin", workers: 2},
	{name: "incr_sem_libc", lock: "sem_libc", inC: "sem", workers: 4, processes: true, goal: measure.NoGoal, detail: true},
}

// wakeUps are of workers that take turns.
var wakeUps = []entry{
	{name: "lat_cond", lock: "cond_turns"},
	{name: "lat_barrier", lock: "barrier_turns"},
	{name: "lat_sem", lock: "sem_turns"},
	{name: "lat_semop", lock: "semop_turns"},
}

// Rows are all rows of this package. Sizes of cfg mean nothing to them.
func Rows(measure.Config) []measure.Row {
	var rows []measure.Row
	for _, e := range calls {
		e.workers = 1
		rows = append(rows, e.row("lock calls", "pairs/s",
			"one thread locks, increments a counter and unlocks, with nobody else there", checked))
	}
	for _, e := range counted {
		for _, e := range e.amongBoth("incr_" + e.name) {
			for _, n := range crews {
				e.workers = n
				row := e.contention()
				row.Detail = n != quickCrew || e.detail
				rows = append(rows, row)
			}
		}
	}
	for _, e := range contended {
		rows = append(rows, e.contention())
	}
	for _, e := range wakeUps {
		for _, e := range e.amongBoth(e.name) {
			for _, n := range crews[1:] {
				e.workers = n
				row := e.wakeUp()
				row.Detail = n != pairCrew || !e.processes
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// amongBoth is the entry for threads and for processes, where it can be.
func (e entry) amongBoth(name string) []entry {
	threads, processes := e, e
	threads.name, processes.name = name+"_threads", name+"_processes"
	threads.processes, processes.processes = false, true
	processes.withGo, processes.detail = false, false
	switch {
	case kinds[e.lock].amongProcesses:
		return []entry{processes}
	case e.lock == "reclock_ofd":
		return []entry{threads}
	}
	return []entry{threads, processes}
}

func (e *entry) contention() measure.Row {
	what := "increment one counter, each time under the lock; from when all are awake until the last one is done" + spread
	if e.workers == 1 {
		what = "increments a counter, each time under the lock; from when it is awake until it is done"
	}
	row := e.row("lock contention", "increments/s", e.who()+" "+what, checked)
	row.Workers = e.workers
	return row
}

func (e *entry) wakeUp() measure.Row {
	what, check := "take turns: from when one of them goes on until it does so again, all others having had their turn",
		"whoever has the turn finds the counter at its turn; the counter's final value"
	if e.lock == "barrier_turns" {
		what = "meet at a barrier: one round"
		check = "each finds, after the barrier, that all others have come; one serial answer a round"
	}
	row := e.row("lock wake-ups", measure.Nanoseconds, e.who()+" "+what+spread, check)
	row.Workers = e.workers
	return row
}

// who are the workers: 4 threads.
func (e *entry) who() string {
	kind, more := "thread", "s"
	if e.processes {
		kind, more = "process", "es"
	}
	if e.workers == 1 {
		more = ""
	}
	return fmt.Sprintf("%d %s%s", e.workers, kind, more)
}

// Who uses the locks.
var inGo, inC = measure.Role(roleArgument), measure.Reference("lockcost")

func (e *entry) row(group string, unit measure.Unit, what, check string) measure.Row {
	lock := e.inC
	if lock == "" {
		lock = e.lock
	}
	least := time.Duration(0)
	if e.workers > 1 {
		least = measure.Crowd
	}
	variants := []measure.Variant{
		e.variant("Go", inGo, e.lock, 0),
		e.variant("C", inC, lock, e.goal),
	}
	if e.withGo {
		variants = append(variants, e.variant("Go, sync.Mutex", inGo, "sync_mutex", 0))
	}
	return measure.Row{Group: group, Name: e.name, What: what, Check: check, Unit: unit, Variants: variants, Detail: e.detail, Least: least}
}

func (e *entry) variant(name string, p measure.Program, lock string, goal float64) measure.Variant {
	flags := []string{"--lock", lock, "--workers", strconv.Itoa(e.workers)}
	if e.processes {
		flags = append(flags, "--processes")
	}
	return measure.Variant{Name: name, Goal: goal, Run: measure.Alone("lockcost", p, flags...)}
}
