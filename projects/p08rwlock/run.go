package p08rwlock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/sys/unix"
)

// Test is what test_myrwlock is told to do.
type Test struct {
	Readers, Writers int
	Duration         time.Duration
	Policy           Policy // 0: fair, or what those have who are joined
	Hold, Pause      time.Duration
	Events           int  // lines about events to print; negative: all
	Processes        bool // instead of goroutines
	Shared           string
	Out              io.Writer `json:"-"`
}

// MaxWorkers is how many readers and writers there may be.
const MaxWorkers = 1000

// ErrFailed is the error of a test whose statistics say FAIL.
var ErrFailed = errors.New("the test failed")

// Run does the test and prints what happens and the statistics. When ctx ends the
// statistics are those of the time until then, and its cause is the error.
func (t *Test) Run(ctx context.Context) (err error) {
	b, at, err := t.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, at.leave(b)) }()
	fd, err := anonymous("tally", tallySize(t.Readers+t.Writers))
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	tally, err := mapTally(fd, t.Readers+t.Writers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tally.unmap()) }()

	fmt.Fprintf(t.Out, "My RWLock Test (%s, %s, %s)\n", count(t.Readers, "reader"), count(t.Writers, "writer"), seconds(t.Duration))
	if !at.created {
		fmt.Fprintf(t.Out, "Joined %s (policy: %v)\n", at.name, b.lock.Policy())
	}
	fmt.Fprintln(t.Out)
	switch {
	case t.Events < 0:
		tally.events = math.MaxInt64
	case t.Events > 0:
		tally.events = int64(t.Events) + 1 // and the line that says that there were more
	}
	if t.Processes {
		err = t.runProcesses(ctx, at.fd, fd, tally)
	} else {
		err = t.runGoroutines(ctx, b, tally)
	}
	atomic.StoreInt64(&tally.events, 0)
	if err != nil {
		return err
	}
	complete, err := check(b)
	if err != nil {
		return fmt.Errorf("%s%w", prefix(at.name), err)
	}
	statistics, failed := t.statistics(tally, complete)
	if _, err := io.WriteString(t.Out, statistics); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if failed {
		return ErrFailed
	}
	return nil
}

func prefix(name string) string {
	if name == "" {
		return ""
	}
	return name + ": "
}

func (t *Test) open() (*board, *object, error) {
	if t.Shared != "" {
		return attach(t.Shared, t.Policy)
	}
	policy := t.Policy
	if policy == 0 {
		policy = Fair
	}
	return newBoard(policy)
}

// worker is the i-th of the readers and the writers behind them.
func (t *Test) worker(i int, b *board, tally *tally) *worker {
	w := &worker{
		number: i + 1, hold: t.Hold, pause: t.Pause,
		long: t.Duration / 2, many: uint64(3 * (t.Readers + t.Writers)),
		board: b, tally: tally, out: t.Out,
	}
	if tally != nil {
		w.record = &tally.worker[i]
	}
	if i >= t.Readers {
		w.kind, w.number = Writer, i+1-t.Readers
	}
	return w
}

var errEnd = errors.New("the test is over")

// until is ctx, or the end of the test if that comes first.
func until(ctx context.Context, end int64) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, time.Duration(end-now()), errEnd)
}

func (t *Test) runGoroutines(ctx context.Context, b *board, tally *tally) error {
	var ready, working sync.WaitGroup
	var cancel context.CancelFunc
	start := make(chan struct{})
	errs := make([]error, len(tally.worker))
	for i := range errs {
		ready.Add(1)
		working.Go(func() {
			ready.Done()
			<-start
			if errs[i] = t.worker(i, b, tally).run(ctx); errs[i] != nil {
				cancel()
			}
		})
	}
	ready.Wait()
	ctx, cancel = until(ctx, now()+t.Duration.Nanoseconds())
	defer cancel()
	close(start)
	working.Wait()
	return errors.Join(errs...)
}

// patient is how long the lock may be held without anybody else's getting it before it
// is taken for lost.
const patient = 3 * time.Second

// check looks at the cells a last time. It says nothing of those of a lock that others
// go on using and do not let it have.
func check(b *board) (complete bool, err error) {
	before := atomic.LoadUint64(&b.entered)
	err = b.lock.RLockFor(patient)
	switch {
	case err == nil:
		return b.complete(), b.lock.RUnlock()
	case !errors.Is(err, unix.ETIMEDOUT):
		return false, err
	case atomic.LoadUint64(&b.entered) == before:
		return false, fmt.Errorf("nobody has given the lock back for %v: who held it is dead, or stopped", patient)
	}
	return true, nil
}

// statistics are what is printed at the end; failed says whether there is a FAIL in it.
func (t *Test) statistics(tally *tally, complete bool) (text string, failed bool) {
	var out strings.Builder
	var operations [2]uint64
	var maxWait [2]int64
	var wrong uint64
	starved := -1
	for i := range tally.worker {
		r, kind := &tally.worker[i], Reader
		if i >= t.Readers {
			kind = Writer
		}
		operations[kind] += r.operations
		maxWait[kind] = max(maxWait[kind], r.maxWait)
		wrong += r.wrong
		if r.starvedWait > 0 && (starved < 0 || r.starvedWait > tally.worker[starved].starvedWait) {
			starved = i
		}
	}
	if !complete {
		wrong++
	}
	if t.Events != 0 {
		out.WriteByte('\n')
	}
	fmt.Fprintf(&out, "Statistics:\n  Read operations: %s\n  Write operations: %s\n  Max reader wait: %dms\n  Max writer wait: %dms\n",
		humanize.Comma(int64(operations[Reader])), humanize.Comma(int64(operations[Writer])),
		milliseconds(maxWait[Reader]), milliseconds(maxWait[Writer]))
	if wrong > 0 {
		fmt.Fprintf(&out, "  Data inconsistent (%s): FAIL\n", humanize.Comma(int64(wrong)))
	} else {
		fmt.Fprintln(&out, "  Data consistent: PASS")
	}
	if starved >= 0 {
		w, r := t.worker(starved, nil, nil), &tally.worker[starved]
		fmt.Fprintf(&out, "  Starvation detected (%v %d waited %dms while the lock was taken %s times): FAIL\n",
			w.kind, w.number, milliseconds(r.starvedWait), humanize.Comma(int64(r.starvedBy)))
	} else {
		fmt.Fprintln(&out, "  No starvation detected: PASS")
	}
	return out.String(), wrong > 0 || starved >= 0
}

func seconds(d time.Duration) string {
	what := "seconds"
	if d == time.Second {
		what = "second"
	}
	return fmt.Sprintf("%.6g %s", d.Seconds(), what)
}
