package p10sempool

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/alive"
)

// Worker is a place in the table of a pool. Its methods are for one goroutine, except
// [Worker.Leave].
type Worker struct {
	pool   *pool
	number uint32
	index  int
	serial uint64
	slot   uint32
	log    io.Writer // its lines; nil: none
	// RealTime chooses sem_timedwait, whose deadline is a time of a clock that can be set,
	// instead of sem_clockwait.
	RealTime bool
}

// The errors that a worker can meet.
var (
	ErrClosed = errors.New("its manager has closed it")
	ErrFull   = errors.New("too many workers")
	// ErrLeft is for the goroutine that was at work when another one called Leave.
	ErrLeft = errors.New("the worker has left the pool")
)

// TimeoutError says why there was no connection in time.
type TimeoutError struct{ text string }

func (e *TimeoutError) Error() string { return e.text }

// Join takes a place in the pool of this name. Lines of what happens go to log.
// Errors: [ErrClosed]; [ErrFull]; fs.ErrNotExist; why the object is no pool.
func Join(name string, number uint32, log io.Writer) (*Worker, error) {
	p, err := attach(name)
	if err != nil {
		return nil, err
	}
	w := &Worker{pool: p, number: number, log: log}
	if err := w.join(); err != nil {
		p.unmap()
		return nil, named(name, err)
	}
	return w, nil
}

func (w *Worker) join() error {
	p := w.pool
	pid := int32(unix.Getpid())
	start, _ := alive.Started(int(pid))
	if err := p.lock(); err != nil {
		return err
	}
	defer p.unlock()
	if p.closed != 0 {
		return ErrClosed
	}
	for i := range p.table {
		e := &p.table[i]
		if e.state != unused {
			continue
		}
		p.serials++
		*e = entry{pid: pid, worker: w.number, started: start, serial: p.serials, since: now()}
		atomic.StoreUint32(&e.state, idle)
		p.counters.Seen++
		w.index, w.serial = i, e.serial
		return nil
	}
	return ErrFull
}

// lock locks the pool for a worker that is still in it.
func (w *Worker) lock() (*entry, error) {
	if err := w.pool.lock(); err != nil {
		return nil, err
	}
	e := &w.pool.table[w.index]
	if e.serial != w.serial || e.state == unused {
		w.pool.unlock()
		return nil, ErrLeft
	}
	return e, nil
}

// Acquire takes a connection, and waits up to timeout while there is none.
// Errors: [*TimeoutError]; [ErrClosed]; [ErrLeft].
func (w *Worker) Acquire(timeout time.Duration) error {
	if w.pool.available.TryWait() == nil {
		// Without a token too many it is this simple, and needs no clock.
		if err := w.receive(); err != errNoneFree {
			return err
		}
	}
	deadline := time.Now().Add(timeout) // the same moment on two clocks; time.Time has both
	if err := w.beginToWait(); err != nil {
		return err
	}
	w.say("Waiting for connection...")
	for {
		if err := w.wait(deadline, timeout); err != nil {
			return err
		}
		if err := w.receive(); err != errNoneFree {
			return err
		}
		// A token too many: the table says so, and the token is gone now.
		w.setState(granted, waiting)
		if time.Until(deadline) <= 0 {
			return w.timedOut(timeout)
		}
	}
}

// receive takes a free connection and says so.
func (w *Worker) receive() error {
	remaining, err := w.take()
	if err == nil {
		w.say("Acquired connection (%d remaining)", remaining)
	}
	return err
}

func (w *Worker) beginToWait() error {
	e, err := w.lock()
	if err != nil {
		return err
	}
	defer w.pool.unlock()
	w.pool.tickets++
	e.ticket, e.since = w.pool.tickets, now()
	e.state = waiting
	w.pool.waiting++
	return nil
}

// wait waits for the semaphore.
func (w *Worker) wait(deadline time.Time, timeout time.Duration) error {
	var err error
	if w.RealTime {
		err = w.pool.available.WaitBy(deadline)
	} else {
		err = w.pool.available.WaitFor(time.Until(deadline))
	}
	if errors.Is(err, unix.ETIMEDOUT) {
		return w.timedOut(timeout)
	}
	if err == nil {
		w.setState(waiting, granted)
	}
	return err
}

// setState changes the state without the lock: only of a worker that waits, whose entry
// nobody else changes, but for its own Leave.
func (w *Worker) setState(from, to uint32) {
	atomic.CompareAndSwapUint32(&w.pool.table[w.index].state, from, to)
}

var errNoneFree = errors.New("no connection is free")

// take takes a free connection, with a token of the semaphore.
func (w *Worker) take() (remaining uint32, err error) {
	t := now()
	e, err := w.lock()
	if err != nil {
		return 0, err
	}
	p := w.pool
	defer p.unlock()
	if p.closed != 0 {
		return 0, named(p.name, ErrClosed)
	}
	k := uint32(0)
	for k < p.slots && p.slot[k].holder != 0 {
		k++
	}
	if k == p.slots {
		return 0, errNoneFree
	}
	if e.state != idle {
		p.waiting--
		if t > e.since {
			p.counters.LongestWait = max(p.counters.LongestWait, t-e.since)
		}
	} else {
		p.tickets++
		e.ticket = p.tickets
	}
	if p.waiting > 0 && p.overtakes(e.ticket) {
		p.counters.Overtaken++
	}
	e.slot, e.since = k, t
	atomic.StoreUint32(&e.state, holding)
	p.slot[k].holder = uint32(w.index) + 1
	p.counters.Lent++
	p.free--
	w.slot = k
	return p.free, nil
}

// overtakes says whether somebody with an earlier ticket still waits.
func (p *pool) overtakes(ticket uint64) bool {
	for i := range p.table {
		if e := &p.table[i]; atomic.LoadUint32(&e.state) == waiting && e.ticket < ticket {
			return true
		}
	}
	return false
}

// Release gives the connection back. The line comes first, so that no line of who gets
// the connection comes before it.
func (w *Worker) Release() error {
	if _, err := w.lock(); err != nil {
		return err
	}
	w.pool.vacate(w.index)
	w.pool.counters.Released++
	remaining := w.pool.free
	w.pool.unlock()
	w.say("Released connection (%d remaining)", remaining)
	return w.pool.available.Post()
}

// Leave gives back what the worker holds and its place in the pool; completed is whether
// it did what it came for. Any goroutine may call it; one that waits in Acquire goes on
// waiting, for the mapping stays.
func (w *Worker) Leave(completed bool) error {
	e, err := w.lock()
	if err == ErrLeft {
		return nil
	}
	if err != nil {
		return err
	}
	p := w.pool
	held := e.state == holding
	switch e.state {
	case holding:
		p.vacate(w.index)
		p.counters.Released++
	case waiting, granted:
		p.waiting--
	}
	atomic.StoreUint32(&e.state, unused)
	if completed {
		p.counters.Completed++
	} else {
		p.counters.Failed++
	}
	remaining := p.free
	p.unlock()
	if !held {
		return nil
	}
	w.say("Released connection (%d remaining)", remaining)
	return p.available.Post()
}

// timedOut says who has kept a connection the longest.
func (w *Worker) timedOut(timeout time.Duration) error {
	if _, err := w.lock(); err != nil {
		return err
	}
	p := w.pool
	defer p.unlock()
	p.counters.GaveUp++
	text := fmt.Sprintf("worker %d: no connection of %s within %g s: %d of %d are lent",
		w.number, p.name, timeout.Seconds(), p.slots-p.free, p.slots)
	var oldest *entry
	for i := range p.table {
		if e := &p.table[i]; e.state == holding && (oldest == nil || e.since < oldest.since) {
			oldest = e
		}
	}
	if oldest != nil {
		text += fmt.Sprintf(", one to worker %d (process %d) for %.1f s", oldest.worker, oldest.pid,
			time.Duration(now()-oldest.since).Seconds())
	}
	return &TimeoutError{text}
}

// used counts a use of the connection it holds. Without the lock: nobody else has it.
func (w *Worker) used() { w.pool.slot[w.slot].uses++ }

// Say prints a line of the worker's.
func (w *Worker) say(format string, args ...any) {
	if w.log != nil {
		fmt.Fprintf(w.log, "Worker %d: %s\n", w.number, fmt.Sprintf(format, args...))
	}
}

// unmap ends a worker that has left and that nothing waits for.
func (w *Worker) unmap() { w.pool.unmap() }
