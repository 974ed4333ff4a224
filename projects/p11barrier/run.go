package p11barrier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/process"
	"unpipc/gobind/sysvsem"
)

// Kind is what the processes meet at.
type Kind int

// The kinds of barriers. With none, the verification must fail.
const (
	SystemV Kind = iota
	Pthread      // pthread_barrier_t in shared memory, which no death breaks
	None
)

// Config is what a run is to be.
type Config struct {
	Processes  int
	Iterations int
	Outside    int         // of the processes, how many are started by others
	Key        sysvsem.Key // that they find the barrier by
	Respawn    bool        // start a process that died again, and mend the barrier
	Kind       Kind
	Work       time.Duration // before each barrier, at most
	Quiet      bool
	KillIndex  int // this process kills itself …
	KillRound  int // … in this round; 0: none
}

// Result is what a run has proved.
type Result struct {
	Elapsed time.Duration // of the rounds after the first one
	Rounds  int           // how many they were
}

// ErrFailed is the error of a run in which not every process passed every round.
var ErrFailed = errors.New("not every process passed every barrier")

// run is the process that starts the others and is none of them.
type run struct {
	Config
	barrier  *Barrier
	board    *board
	show     *display
	pipe     [2]int
	children map[int]*child // by pid
	running  int
	killing  bool // them, because one has failed
	failed   error
}

type child struct {
	index   int
	process *process.Process
}

// Run makes the barrier, runs the processes and verifies what they did.
func Run(ctx context.Context, cfg Config, out io.Writer) (res Result, err error) {
	r := &run{Config: cfg, children: map[int]*child{}}
	r.show = newDisplay(out, cfg.Processes-cfg.Outside, cfg.Quiet)
	if r.barrier, err = Create(cfg.Key, cfg.Processes, r.prepare); err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, r.barrier.Remove(), r.board.remove()) }()
	if err := unix.Pipe2(r.pipe[:], unix.O_CLOEXEC); err != nil {
		return res, err
	}
	defer unix.Close(r.pipe[0])
	defer unix.Close(r.pipe[1])
	r.show.begin(cfg)
	if err := r.supervise(ctx); err != nil {
		return res, err
	}
	if r.failed = errors.Join(r.failed, r.left(ctx)); r.failed == nil {
		r.failed = r.verify()
	}
	res.Elapsed = time.Duration(atomic.LoadInt64(r.board.time(boardElapsed)))
	res.Rounds = int(atomic.LoadInt64(r.board.time(boardTimed)))
	return res, r.failed
}

// prepare makes the board, which whoever joins will look for.
func (r *run) prepare(set *sysvsem.Set) (err error) {
	if r.board, err = createBoard(set.ID(), r.Processes); err != nil {
		return err
	}
	flag := map[bool]int{true: 1}
	r.board.set(boardIterations, r.Iterations)
	r.board.set(boardRespawn, flag[r.Respawn])
	r.board.set(boardKind, int(r.Kind))
	r.board.set(boardWork, int(r.Work.Microseconds()))
	r.board.set(boardRound, 1)
	r.board.set(boardNext, r.Processes-r.Outside)
	r.board.set(boardMagic, magic)
	return nil
}

// supervise starts the processes and shows what they do until all have ended.
func (r *run) supervise(ctx context.Context) error {
	defer r.killAll()
	for index := 1; index <= r.Processes-r.Outside; index++ {
		killIn := 0
		if index == r.KillIndex {
			killIn = r.KillRound
		}
		if err := r.start(index, killIn); err != nil {
			return err
		}
	}
	watched, end := context.WithCancel(ctx)
	handled := make(chan bool)
	var watching sync.WaitGroup
	watching.Go(func() { r.watch(watched, handled) })
	defer watching.Wait() // it writes to the pipe
	defer close(handled)
	defer end()
	for r.running > 0 {
		e, err := readEvent(r.pipe[0])
		if err != nil {
			return err
		}
		switch e.what {
		case hasReached, hasPassed:
			r.show.event(e)
		case hasEnded:
			if err := r.ended(ctx, int(e.index), unix.WaitStatus(e.n)); err != nil {
				return err
			}
			handled <- r.running > 0
		case stop:
			return cmp.Or(context.Cause(ctx), errors.New("the processes cannot be waited for"))
		}
	}
	r.show.flush()
	return nil
}

// watch puts the end of each child into the pipe, behind all that it has written.
func (r *run) watch(ctx context.Context, handled <-chan bool) {
	for more := true; more; more = <-handled {
		e := event{what: stop}
		if pid, err := process.Ended(ctx); err == nil {
			if status, err := process.Adopt(pid).Wait(); err == nil {
				e = event{hasEnded, int32(pid), int32(status)}
			}
		}
		if e.write(r.pipe[1]) != nil || e.what == stop {
			return
		}
	}
}

func (r *run) start(index, killIn int) error {
	args := []string{"barrier_test", "--join", "--id", strconv.Itoa(r.barrier.set.ID()),
		"--index", strconv.Itoa(index), "--report", "3"}
	if killIn > 0 {
		args = append(args, "--kill", fmt.Sprintf("%d@%d", index, killIn))
	}
	if r.Quiet {
		args = append(args, "--quiet")
	}
	p, err := process.Start(&process.Cmd{Args: args, Path: "/proc/self/exe", Files: []int{0, 1, 2, r.pipe[1]}})
	if err != nil {
		return err
	}
	r.children[p.Pid()] = &child{index, p}
	r.running++
	return nil
}

// ended takes note of a child's end.
func (r *run) ended(ctx context.Context, pid int, status unix.WaitStatus) error {
	c := r.children[pid]
	delete(r.children, pid)
	r.running--
	if status.Exited() && status.ExitStatus() == 0 {
		return nil
	}
	round := r.board.get(r.board.reached(c.index))
	if !r.Respawn || !status.Signaled() || r.killing {
		if status.Signaled() && !r.killing {
			r.show.complain("process %d was killed by signal %d in round %d", c.index, status.Signal(), round)
		}
		r.failed = ErrFailed
		if r.Kind == Pthread || r.Respawn {
			// Nobody tells those who wait at a pthread_barrier_t, or for a repair.
			r.killAll()
			return nil
		}
		return r.barrier.Break()
	}
	if err := r.barrier.Mend(ctx, func() int { return r.restart(c.index) }); err != nil {
		return err
	}
	r.show.again(c.index, int(status.Signal()), r.board.get(boardRound))
	return r.start(c.index, 0)
}

// restart is the round to go on with, when all have stopped: the highest that anybody
// has reached, for all have passed the one before it.
func (r *run) restart(dead int) int {
	round := 1
	for index := 1; index <= r.Processes; index++ {
		round = max(round, r.board.get(r.board.reached(index)))
	}
	r.board.set(r.board.reached(dead), round-1)
	r.board.set(r.board.passed(dead), round-1)
	r.board.set(boardRound, round)
	return round
}

// left waits until those from outside have left, too. After a failure that is given a
// limit: one that is stopped keeps nobody.
func (r *run) left(ctx context.Context) error {
	if r.failed == nil {
		return errors.Join(r.barrier.Left(ctx), r.barrier.Clean())
	}
	limited, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if r.barrier.Left(limited) != nil {
		return context.Cause(ctx)
	}
	return r.barrier.Clean()
}

// verify looks whether every process, from outside or not, has passed every round and
// found all others there each time.
func (r *run) verify() error {
	for index := 1; index <= r.Processes; index++ {
		if passed := r.board.get(r.board.passed(index)); passed != r.Iterations {
			return fmt.Errorf("process %d passed %d of %d barriers: %w", index, passed, r.Iterations, ErrFailed)
		}
	}
	return nil
}

func (r *run) killAll() {
	r.killing = true
	for _, c := range r.children {
		_ = c.process.Signal(unix.SIGKILL)
	}
}
