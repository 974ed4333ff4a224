package stress

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/cli"
)

// roleArgument as first argument makes the running binary a worker.
const roleArgument = "stress-role"

// Descriptors of a worker; those of the scenario follow.
const (
	pageFd = 3 + iota
	noticeFd
	firstFd
)

// violated is the exit status of a worker that has seen an invariant not hold.
const violated = 3

// Role is to be called first in main, and in TestMain: it returns at once, unless this
// process was started as a worker; then it works and exits.
func Role() {
	if len(os.Args) > 1 && os.Args[1] == roleArgument {
		roleMain(os.Args[2:])
	}
}

// worker is a process of a round.
type worker struct {
	setting
	index      int
	generation int      // 0 is the first one in this place
	args       []string // the scenario's
	slot       *slot
	op         uint64 // the operation that it is in
	notices    *pipe.Writer
	told       bool // the other process of the death from outside
}

func roleMain(argv []string) {
	p := cli.New("stress", "", "A worker of a stress test, which the suite starts.", "  ipc_suite stress --all")
	name := p.String("scenario", "", "its name")
	index := p.Int("worker", 0, "its place")
	generation := p.Int("generation", 0, "how many were in this place before")
	seed := p.Uint64("seed", 0, "of the plan")
	ops := p.Uint64("ops", 0, "operations")
	sabotage := p.Bool("sabotage", false, "do something wrong")
	parent := p.Int("parent", 0, "pid of the process that this one is not to outlive")
	p.Parse(argv)
	sc := named(*name)
	if sc == nil || *index < 0 || *index >= sc.workers || *ops == 0 || *ops > MostOps {
		p.BadUsage("this is for the suite to start")
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		p.Exit(os.NewSyscallError("prctl", err))
	}
	if os.Getppid() != *parent {
		os.Exit(cli.Failed) // it was killed before that
	}
	for _, fd := range []int{pageFd, noticeFd} {
		unix.CloseOnExec(fd)
	}
	shared, err := mapPage(posixshm.FromFd(pageFd, "stress"))
	if err != nil {
		p.Exit(err)
	}
	w := &worker{
		setting: setting{sc, *seed, *ops, *sabotage, newPlan(sc, *seed, *ops, *sabotage), shared},
		index:   *index, generation: *generation, args: p.Args(), slot: &shared.slots[*index],
		notices: pipe.NewWriter(noticeFd),
	}
	err = w.run()
	var v *Violation
	if errors.As(err, &v) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(violated)
	}
	p.Exit(err)
}

func (w *worker) run() error {
	// What a storm brings is caught; the runtime catches SIGURG itself.
	signal.Notify(make(chan os.Signal, 1), unix.SIGUSR1)
	s := w.slot
	if w.generation > 0 && w.generation <= maxDeaths {
		if begun := s.begun.Load(); begun > s.done.Load() {
			s.doubt[w.generation-1].Store(begun)
			s.done.Store(begun)
		}
		s.deaths.Store(uint64(w.generation))
	}
	w.op = s.done.Load()
	if w.generation == 0 {
		w.page.ready.Add(1)
		for w.page.ready.Load() < uint64(w.sc.workers) {
			pause()
		}
	}
	return w.sc.work(w)
}

// begin begins the next operation, if there is one. The one in which an earlier worker
// was killed is not done again.
func (w *worker) begin() bool {
	if w.op >= w.ops {
		return false
	}
	if w.sabotage && w.index != w.sc.saboteur && w.op+1 == w.ops && w.sc.awaited {
		for w.page.sabotage.Load() == 0 {
			pause()
		}
	}
	w.next()
	return true
}

// next is begin for those who go on for as long as others do.
func (w *worker) next() {
	w.op++
	w.slot.begun.Store(w.op)
	for i, n := range w.plan.nuisances[w.index] {
		if n.op == w.op {
			w.notify(i)
		}
	}
	if w.dies(outside) && !w.told {
		w.told = true
		w.notify(deathNotice)
	}
	w.at(before)
}

// end ends the operation.
func (w *worker) end() {
	w.at(after)
	w.slot.done.Store(w.op)
}

// death is how this worker is to be killed, if it is.
func (w *worker) death() *death {
	if all := w.plan.deaths[w.index]; w.generation < len(all) {
		return &all[w.generation]
	}
	return nil
}

// at kills this worker, if that is planned for this point.
func (w *worker) at(p point) {
	if w.dies(p) {
		die()
	}
}

// dies says whether this worker is to be killed at this point of this operation.
func (w *worker) dies(p point) bool {
	d := w.death()
	return d != nil && d.at == p && w.op >= d.op
}

func die() {
	for {
		_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	}
}

// verify counts an invariant that was verified, and is the error if it does not hold.
func (w *worker) verify(holds bool, invariant, format string, args ...any) error {
	w.slot.checked.Add(1)
	if holds {
		return nil
	}
	return violation(invariant, format, args...)
}

// wrong says whether this operation is the one to be done wrong.
func (w *worker) wrong() bool { return w.setting.wrong(w.index, w.op) }

// wrongBy says whether that operation has come; for what is done wrong from then on.
func (w *worker) wrongBy() bool {
	return w.sabotage && w.index == w.sc.saboteur && w.op >= w.plan.sabotageOp
}

// number is an argument of the scenario that is a number.
func (w *worker) number(i int) int {
	n, err := strconv.Atoi(w.args[i])
	if err != nil {
		panic(err) // from this very program
	}
	return n
}

// pause is for those who look again and again.
func pause() { unix.Nanosleep(&unix.Timespec{Nsec: 100_000}, nil) }
