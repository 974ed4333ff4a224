package p10sempool

import (
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/alive"
)

// looks are for how many of them in a row a token must be missing before it is given back.
const looks = 3

// watched is what is known of the process of an entry.
type watched struct {
	serial uint64
	pidfd  int // -1: its death is looked for in /proc
}

// watcher looks after a pool. Its methods are called with the lock.
type watcher struct {
	pool       *pool
	log        io.Writer
	entries    [maxEntries]watched
	missing    [looks]int
	look       int
	stuck      int      // looks in a row at which there were tokens and workers that waited
	emptySince uint64   // 0: workers are there
	told       counters // as they were at the last report
}

func newWatcher(p *pool, log io.Writer) *watcher {
	w := &watcher{pool: p, log: log}
	for i := range w.entries {
		w.entries[i].pidfd = -1
	}
	return w
}

func (w *watcher) close() {
	for i := range w.entries {
		w.forget(i)
	}
}

func (w *watcher) forget(i int) {
	if at := &w.entries[i]; at.pidfd >= 0 {
		_ = unix.Close(at.pidfd)
		at.pidfd = -1
	}
}

// dead says whether the process of an entry is. pidfd_open comes first: what start time is
// read then is of the process that the descriptor is of, or that one is dead.
func (w *watcher) dead(i int) bool {
	e, at := &w.pool.table[i], &w.entries[i]
	if at.serial != e.serial {
		w.forget(i)
		at.serial = e.serial
		if fd, err := unix.PidfdOpen(int(e.pid), 0); err == nil {
			at.pidfd = fd
		}
		return !alive.Is(int(e.pid), e.started)
	}
	if at.pidfd < 0 {
		return !alive.Is(int(e.pid), e.started)
	}
	on := []unix.PollFd{{Fd: int32(at.pidfd), Events: unix.POLLIN}}
	n, _ := unix.Poll(on, 0)
	return n > 0
}

// bury takes a dead worker out of the pool.
func (w *watcher) bury(i int) {
	p := w.pool
	e := &p.table[i]
	fmt.Fprintf(w.log, "Worker %d (process %d) died", e.worker, e.pid)
	if e.state == holding && e.slot < p.slots {
		p.slot[e.slot].dirty = p.lends
		p.vacate(i)
		p.counters.Reclaimed++
		_ = p.available.Post()
		fmt.Fprintf(w.log, ": connection given back (%d remaining)", p.free)
	} else if e.state == waiting || e.state == granted {
		p.waiting--
	}
	fmt.Fprintln(w.log)
	e.state = unused
	p.counters.Died++
}

// balance gives tokens back. Who is killed between the semaphore and the table leaves the
// semaphore too low, and nobody can tell it from one who is just on the way. So what was
// missing at every one of the last looks is given back; if it was on the way after all it
// finds no free connection, and waits again.
func (w *watcher) balance() {
	p := w.pool
	value, _ := p.available.Value()
	for ; value > int(p.free) && p.available.TryWait() == nil; value-- {
	}
	w.wake(value)
	w.missing[w.look%looks] = max(0, int(p.free)-value)
	w.look++
	lost := slices.Min(w.missing[:])
	if lost == 0 {
		return
	}
	w.missing = [looks]int{}
	fmt.Fprintf(w.log, "Tokens lost with a killed worker: %d given back\n", lost)
	for range lost {
		_ = p.available.Post()
	}
}

// wake posts tokens again that were there at several looks while workers waited. Who is
// killed just as a post has woken it takes that wake-up with it, and the next one sleeps on
// beside a token.
func (w *watcher) wake(value int) {
	if value <= 0 || w.pool.waiting == 0 {
		w.stuck = 0
		return
	}
	if w.stuck++; w.stuck < looks {
		return // who was woken may be on the way
	}
	w.stuck = 0
	for range min(value, int(w.pool.waiting)) {
		if w.pool.available.TryWait() == nil {
			_ = w.pool.available.Post()
		}
	}
}

// inspect looks through the pool. done says that so many workers (0: never) have come
// and gone, all that they completed.
func (w *watcher) inspect(workers int) (done, all bool) {
	p := w.pool
	empty := true
	for i := range p.table {
		if e := &p.table[i]; e.state != unused && w.dead(i) {
			w.bury(i)
		}
		if p.table[i].state != unused {
			empty = false
		} else {
			w.forget(i)
		}
	}
	p.repair() // so that no damage to what follows from the table lasts
	w.balance()
	switch {
	case !empty || p.counters.Seen == w.told.Seen:
		w.emptySince = 0
	case w.emptySince == 0:
		w.emptySince = now()
	}
	done = workers > 0 && empty && p.counters.Seen >= uint64(workers)
	if done || workers == 0 && w.emptySince != 0 && now()-w.emptySince >= uint64(time.Second) {
		all = w.report()
	}
	return done, all
}

// report says what became of the workers since the last report, and whether all completed.
func (w *watcher) report() bool {
	c, t := &w.pool.counters, &w.told
	lent := c.Lent - t.Lent
	seen, completed := c.Seen-t.Seen, c.Completed-t.Completed
	fmt.Fprintf(w.log, "Workers: %d completed, %d failed, %d died; connections lent: %d, given back for the dead: %d\n",
		completed, c.Failed-t.Failed, c.Died-t.Died, lent, c.Reclaimed-t.Reclaimed)
	fmt.Fprintf(w.log, "Order: %d of %d overtook one that had waited longer; longest wait %.3f s\n",
		c.Overtaken-t.Overtaken, lent, time.Duration(c.LongestWait).Seconds())
	if completed == seen {
		fmt.Fprintln(w.log, "All workers completed successfully")
	} else {
		fmt.Fprintf(w.log, "%d of %d workers completed successfully\n", completed, seen)
	}
	c.LongestWait = 0
	w.told = *c
	return completed == seen
}
