package p11barrier

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread"
	"unpipc/gobind/sysvsem"
)

// Place is where and how a process takes part in a run.
type Place struct {
	Set    *sysvsem.Set
	Index  int // from 1 on; 0: the next one from outside
	Report int // descriptor of the pipe to the process that started this one; -1: standard output
	KillIn int // round in which this process kills itself, 0: none
	Quiet  bool
}

// limit is how long a set may be without its values: from semget to semop.
const limit = 10 * time.Second

// Run takes part until the last round has been passed. Errors: [ErrBroken],
// [ErrAbandoned], [ErrFull], or what else keeps this process from it; an error, too, if
// another process is found not to have reached a round that this one has passed.
func (p *Place) Run() error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	m, err := Join(ctx, p.Set)
	if err != nil {
		return err
	}
	b, err := openBoard(p.Set.ID())
	if err != nil {
		return errors.Join(err, m.Leave())
	}
	defer b.close()
	r := runner{Place: p, board: b, member: m}
	if err := r.enter(); err != nil {
		return errors.Join(err, m.Leave())
	}
	if err = r.rounds(); err == nil {
		return m.Leave()
	}
	if n, ownerErr := p.Set.Value(owner); ownerErr == nil && n > 0 {
		return errors.Join(err, m.Leave())
	}
	// Nobody else clears it away, but another member.
	_, _ = p.Set.Remove(), removeBoard(p.Set.ID())
	return ErrAbandoned
}

type runner struct {
	*Place
	board   *board
	member  *Member
	pthread *pthread.Barrier // for the kind of that name
	all     int              // processes, this one included
	start   time.Time        // of what process 1 times
}

func (r *runner) enter() (err error) {
	r.all = r.board.get(boardProcesses)
	if r.Index == 0 {
		r.Index = int(atomic.AddInt32(r.board.number(boardNext), 1))
	}
	if r.Index > r.all {
		return ErrFull
	}
	if Kind(r.board.get(boardKind)) == Pthread {
		r.pthread, err = pthread.BarrierAt(r.board.memory[boardBarrier:])
	}
	return err
}

func (r *runner) rounds() error {
	first := r.board.get(boardRound)
	last := r.board.get(boardIterations)
	for round := first; round <= last; {
		r.work()
		if r.board.get(r.board.reached(r.Index)) < round {
			r.board.set(r.board.reached(r.Index), round)
			if err := r.report(hasReached, round); err != nil {
				return err
			}
		}
		if round == r.KillIn {
			_ = unix.Kill(os.Getpid(), unix.SIGKILL)
		}
		err := r.wait(round)
		if errors.Is(err, ErrBroken) && r.board.get(boardRespawn) == 1 {
			if err = r.member.Settle(); err == nil {
				continue // the same round again
			}
		}
		if err == nil {
			err = r.check(round)
		}
		if err != nil {
			return fmt.Errorf("barrier %d: %w", round, err)
		}
		if err := r.report(hasPassed, round); err != nil {
			return err
		}
		r.time(round, first)
		round++
	}
	return nil
}

func (r *runner) wait(round int) error {
	switch Kind(r.board.get(boardKind)) {
	case Pthread:
		_, err := r.pthread.Wait()
		return err
	case None:
		return nil
	}
	return r.member.Wait(round)
}

// check is the proof: whoever has passed a round finds that all have reached it.
func (r *runner) check(round int) error {
	for index := 1; index <= r.all; index++ {
		if r.board.get(r.board.reached(index)) < round {
			return fmt.Errorf("passed before process %d had reached it", index)
		}
	}
	r.board.set(r.board.passed(r.Index), round)
	return nil
}

// time tells how long the rounds after the first one have taken: in it, processes start.
func (r *runner) time(round, first int) {
	if r.Index != 1 {
		return
	}
	if round == first {
		r.start = time.Now()
	}
	if round == r.board.get(boardIterations) {
		atomic.StoreInt64(r.board.time(boardElapsed), time.Since(r.start).Nanoseconds())
		atomic.StoreInt64(r.board.time(boardTimed), int64(round-first))
	}
}

// work is what a process does between two barriers: nothing, for a while.
func (r *runner) work() {
	if most := r.board.get(boardWork); most > 0 {
		ts := unix.NsecToTimespec(rand.Int64N(int64(most) * 1000))
		_ = unix.Nanosleep(&ts, nil)
	}
}

func (r *runner) report(what, round int) error {
	switch {
	case r.Quiet:
		return nil
	case r.Report >= 0:
		return event{int32(what), int32(r.Index), int32(round)}.write(r.Report)
	case what == hasReached:
		_, err := fmt.Printf("[P%d] Reached barrier %d\n", r.Index, round)
		return err
	}
	return nil
}
