package stress

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/seats"
)

// round is a scenario's round in the process that starts its workers.
type round struct {
	setting
	ctx      context.Context
	patience time.Duration
	dir      string // for files; removed at the end
	args     []string
	files    []int // descriptors that workers get, from firstFd on
	// ended is called when the worker of a place has ended, killed or not, and before
	// another one is started there. May be nil.
	ended func(worker int, killed bool) error

	memory  *posixshm.Object // of the page
	in      *pipe.Reader
	out     *pipe.Writer
	members []*member
	ends    chan *member
	alive   int
	checked uint64
	kills   uint64
	stops   atomic.Uint64
	signals atomic.Uint64
}

// newRound makes what workers share.
func newRound(ctx context.Context, set setting, patience time.Duration) (r *round, err error) {
	r = &round{setting: set, ctx: ctx, patience: patience, ends: make(chan *member)}
	r.plan = newPlan(r.sc, r.seed, r.ops, r.sabotage)
	if r.page, r.memory, err = newPage(); err != nil {
		return nil, err
	}
	if r.in, r.out, err = pipe.New(0); err == nil {
		r.dir, err = os.MkdirTemp("", fmt.Sprintf("unpipc-%d-stress-", os.Getpid()))
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *round) close() error {
	var err error
	if r.in != nil {
		err = errors.Join(r.in.Close(), r.out.Close())
	}
	if r.dir != "" {
		err = errors.Join(err, os.RemoveAll(r.dir))
	}
	return errors.Join(err, posixshm.Unmap(r.page.bytes()), r.memory.Close())
}

// name is a new name for an object in a place that others use, too.
func (r *round) name() string { return seats.NewName("stress") }

// verify counts an invariant that was verified, and is the error if it does not hold.
func (r *round) verify(holds bool, invariant, format string, args ...any) error {
	r.checked++
	if holds {
		return nil
	}
	return violation(invariant, format, args...)
}

// patient is a context for what the workers are waited for in between.
func (r *round) patient() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(r.ctx, r.patience, violation("everybody goes on", "nobody for %v", r.patience))
}

// run starts the workers, does to them what is planned, and returns when all are done.
func (r *round) run() (err error) {
	ctx, cancel := context.WithCancel(r.ctx)
	var company sync.WaitGroup
	notices := make(chan notice)
	company.Go(func() { receiveNotices(ctx, r.in, notices) })
	defer func() {
		err = r.lastWords(err)
		cancel()
		company.Wait()
		for _, m := range r.members {
			err = errors.Join(err, m.close())
		}
	}()
	for i := range r.sc.workers {
		m, err := r.start(i, 0)
		if err != nil {
			return err
		}
		r.members = append(r.members, m)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	progress, since := r.page.progress(), time.Now()
	for r.alive > 0 {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case m := <-r.ends:
			r.alive--
			if err := r.handleEnd(m); err != nil {
				return err
			}
		case n := <-notices:
			m := r.members[n.worker]
			if m.generation != n.generation {
				break
			}
			if n.fault == deathNotice {
				m.kill()
			} else {
				company.Go(func() { r.bother(ctx, m, r.plan.nuisances[n.worker][n.fault]) })
			}
		case <-tick.C:
			if p := r.page.progress(); p != progress {
				progress, since = p, time.Now()
			} else if time.Since(since) > r.patience {
				return violation("everybody goes on", "nobody for %v: %s", r.patience, r.page.where(r.sc.workers))
			}
		}
	}
	return nil
}

// lastWords ends all workers. When one has failed, another one may know better why.
func (r *round) lastWords(err error) error {
	var v *Violation
	if err != nil && r.alive > 0 && r.ctx.Err() == nil && !errors.As(err, &v) {
		time.Sleep(grace)
	}
	for _, m := range r.members {
		m.kill()
	}
	for ; r.alive > 0; r.alive-- {
		if m := <-r.ends; m.status.Code() == violated && !errors.As(err, &v) {
			err = m.failure()
		}
	}
	return err
}

// grace is how long workers may outlive one that failed.
const grace = 200 * time.Millisecond

// handleEnd judges how a worker has ended, and starts another one if that was planned.
func (r *round) handleEnd(m *member) error {
	killed := m.status.Signal() == unix.SIGKILL && m.generation < len(r.plan.deaths[m.index])
	if !killed && m.status.Code() != 0 {
		return m.failure()
	}
	if killed {
		r.kills++
	}
	if r.ended != nil {
		if err := r.ended(m.index, killed); err != nil {
			return err
		}
	}
	if !killed || r.sc.last != nil && r.sc.last(m.index) {
		return nil
	}
	if err := m.close(); err != nil {
		return err
	}
	next, err := r.start(m.index, m.generation+1)
	if err == nil {
		r.members[m.index] = next
	}
	return err
}

// killed runs a worker of this generation, which is to end by SIGKILL.
func (r *round) killed(index, generation int) error {
	m, err := r.start(index, generation)
	if err != nil {
		return err
	}
	defer m.close()
	stop := context.AfterFunc(r.ctx, m.kill)
	<-r.ends
	stop()
	r.alive--
	if m.status.Signal() != unix.SIGKILL {
		return m.failure()
	}
	r.kills++
	return context.Cause(r.ctx)
}

// bother stops a worker for a while, or sends it signals.
func (r *round) bother(ctx context.Context, m *member, n nuisance) {
	if n.stop {
		r.stops.Add(1)
		r.stop(ctx, m, n.n)
		return
	}
	for i := range n.n {
		sig := unix.SIGUSR1
		if i%2 == 1 {
			sig = unix.SIGURG
		}
		if m.process.Signal(sig) != nil || ctx.Err() != nil {
			return // it has ended
		}
		r.signals.Add(1)
		µs := mix(r.seed, uint64(m.index), n.op, i) % n.gap
		unix.Nanosleep(&unix.Timespec{Nsec: int64(µs) * 1000}, nil)
	}
}

// idle is how long a worker is stopped when all others wait, perhaps for it.
const idle = 5 * time.Millisecond

// stop stops a worker until the others have done so many operations.
func (r *round) stop(ctx context.Context, m *member, operations uint64) {
	own := &r.page.slots[m.index]
	others := func() uint64 { return r.page.progress() - own.begun.Load() - own.done.Load() }
	if m.process.Signal(unix.SIGSTOP) != nil {
		return
	}
	defer func() { _ = m.process.Signal(unix.SIGCONT) }()
	first := others()
	for last, since := first, time.Now(); ctx.Err() == nil; pause() {
		now := others()
		if now != last {
			last, since = now, time.Now()
		}
		// Begun and done count one each.
		if now-first >= 2*operations || time.Since(since) > idle {
			return
		}
	}
}
