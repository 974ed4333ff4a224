package p08rwlock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// worker is one reader or writer.
type worker struct {
	kind   Kind
	number int // from 1, among its kind
	hold   time.Duration
	pause  time.Duration
	long   time.Duration // waits of that length are looked at for starvation
	many   uint64        // others that may go ahead in such a wait
	board  *board
	tally  *tally
	record *record
	out    io.Writer
}

// run takes the lock again and again until ctx ends.
func (w *worker) run(ctx context.Context) error {
	for ctx.Err() == nil {
		took, err := w.take(ctx)
		if err != nil {
			return fmt.Errorf("%v %d: %w", w.kind, w.number, err)
		}
		if !took {
			return nil
		}
		if !w.board.access(w.kind, func() { wait(ctx, w.hold) }) {
			atomic.AddUint64(&w.record.wrong, 1)
		}
		atomic.AddUint64(&w.record.operations, 1)
		w.tell("released %s lock", w.verb())
		unlock := w.board.lock.RUnlock
		if w.kind == Writer {
			unlock = w.board.lock.Unlock
		}
		if err := unlock(); err != nil {
			return fmt.Errorf("%v %d: %w", w.kind, w.number, err)
		}
		wait(ctx, w.pause)
	}
	return nil
}

// take takes the lock and notes how long that took, also when ctx ended before.
func (w *worker) take(ctx context.Context) (took bool, err error) {
	l := w.board.lock
	try, lock := l.TryRLock, l.RLockContext
	if w.kind == Writer {
		try, lock = l.TryLock, l.LockContext
	}
	before, begin := atomic.LoadUint64(&w.board.entered), now()
	err = try()
	if errors.Is(err, unix.EBUSY) {
		w.tellState("waiting... (%s)", func(s State) string {
			switch {
			case w.kind == Writer && s.Readers > 0:
				return count(s.Readers, "reader") + " active"
			case s.Writers > 0 || s.WaitingWriters == 0:
				return count(s.Writers, "writer") + " active"
			}
			return count(s.WaitingWriters, "writer") + " waiting"
		})
		err = lock(ctx)
	}
	if err != nil && ctx.Err() != nil {
		err = nil
	} else if err != nil {
		return false, err
	} else {
		took = true
	}
	ahead := atomic.LoadUint64(&w.board.entered) - before
	w.note(now()-begin, ahead)
	if took {
		atomic.AddUint64(&w.board.entered, 1)
		w.tellState("acquired "+w.verb()+" lock%s", func(s State) string {
			if w.kind == Writer {
				return ""
			}
			return " (" + count(s.WaitingWriters, "writer") + " waiting)"
		})
	}
	return took, nil
}

// note notes a wait. That it was long is no starvation if it was long for everybody, as
// on a machine that has too much to do: others must have gone ahead.
func (w *worker) note(waited int64, ahead uint64) {
	r := w.record
	r.maxWait = max(r.maxWait, waited)
	if waited > w.long.Nanoseconds() && ahead > w.many && waited > r.starvedWait {
		r.starvedWait, r.starvedBy = waited, ahead
	}
}

func (w *worker) verb() string { return [...]string{"read", "write"}[w.kind] }

// tell prints a line about an event, until there were enough of them.
func (w *worker) tell(format string, args ...any) {
	if atomic.LoadInt64(&w.tally.events) <= 0 {
		return
	}
	left := atomic.AddInt64(&w.tally.events, -1)
	switch {
	case left == 0:
		fmt.Fprintln(w.out, "...")
	case left > 0:
		// One write, so that lines of several processes do not mix.
		fmt.Fprintf(w.out, "%s %d %s\n", [...]string{"Reader", "Writer"}[w.kind], w.number, fmt.Sprintf(format, args...))
	}
}

// tellState is tell with something about the state of the lock.
func (w *worker) tellState(format string, about func(State) string) {
	if atomic.LoadInt64(&w.tally.events) <= 0 {
		return
	}
	if s, err := w.board.lock.State(); err == nil {
		w.tell(format, about(s))
	}
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// wait lets time pass, until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
