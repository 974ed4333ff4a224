package lockcost

import (
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/measure"
)

// roleArgument as first argument makes the running binary a role.
const roleArgument = "lockcost-role"

// Role is to be called first in main, and in TestMain: it returns at once, unless
// this process was started to use a lock; then it does and exits.
func Role() { measure.TakeRole(roleArgument, roleMain) }

// role is what the command line of a role says.
type role struct {
	lock      string
	workers   int
	processes bool
	count     uint64 // operations of all workers together; of each, where they take turns
	kind      kind
}

func roleMain(args []string) {
	p := cli.New("lockcost", "", "Workers increment a counter under a lock, or take turns; the time they took goes to\n"+
		"standard output as JSON.",
		"  ipc_suite lockcost-role --lock mutex --workers 4 --count 1000000")
	var r role
	p.StringVar(&r.lock, "lock", "", "one of "+strings.Join(names(), ", "))
	p.IntVar(&r.workers, "workers", 1, "how many, up to 16; at least 2 where they take turns")
	p.BoolVar(&r.processes, "processes", false, "the workers are processes, not threads")
	p.Uint64Var(&r.count, "count", 1000, "increments of all workers together, or rounds")
	// Of a worker that is a process, started by another role:
	index := p.Int("worker", -1, "")
	parent := p.Int("parent", 0, "")
	_, _ = p.MarkHidden("worker"), p.MarkHidden("parent")
	p.Parse(args)
	kind, known := kinds[r.lock]
	r.kind = kind
	switch {
	case !known:
		p.BadUsage("--lock is one of %s", strings.Join(names(), ", "))
	case r.workers < 1 || r.workers > maxWorkers || r.kind.turns && r.workers < 2:
		p.BadUsage("--workers is from 1 to %d, and at least 2 where they take turns", maxWorkers)
	case kind.alone && r.workers > 1:
		p.BadUsage("this lock lets several in: --workers is 1")
	case kind.amongProcesses && r.workers > 1 && !r.processes:
		p.BadUsage("this lock is between processes: --processes")
	case r.count == 0 || r.count > 1<<62:
		p.BadUsage("--count is at least 1")
	case r.processes && r.lock == "sync_mutex":
		p.BadUsage("this lock is between threads: not with --processes")
	case p.NArg() > 0:
		p.BadUsage("takes no arguments")
	}
	debug.SetGCPercent(-1) // nothing here makes garbage that counts
	switch r.lock {        // before the first one is made
	case "sem_libc":
		os.Setenv("UNPIPC_POSIXSEM", "libc")
	case "mutex_libc":
		os.Setenv("UNPIPC_PTHREAD", "libc")
	}
	if *index >= 0 {
		p.Exit(r.asWorker(*index, *parent))
	}
	p.Exit(measure.Print(r.run()))
}

func names() []string {
	var all []string
	for name := range kinds {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// asWorker is one worker that is a process; the page is its descriptor 3.
func (r *role) asWorker(index, parent int) error {
	runtime.LockOSThread() // as a thread is
	m, err := mapMemory(posixshm.FromFd(3, "lockcost"))
	if err != nil {
		return err
	}
	return r.play(&worker{m, index}, func() bool { return unix.Getppid() == parent })
}
