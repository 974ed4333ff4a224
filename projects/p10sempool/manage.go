package p10sempool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/alive"
)

// tick is how long a manager sleeps at most: so late it sees a worker whose pidfd it has
// not got yet.
const tick = 100 * time.Millisecond

// Manager makes a pool and looks after it.
type Manager struct {
	Name        string
	Connections int
	Backend     *Backend // nil: the pool has slots only
	Workers     int      // end when so many have come and gone; 0: never
	Log         io.Writer
}

// ErrWorkersFailed is for a manager whose workers have gone, not all of them satisfied.
var ErrWorkersFailed = errors.New("not all workers completed")

// Run makes the pool, or takes over that of a dead manager, looks after it until ctx ends
// or Workers have come and gone, and removes it. The end of ctx is no error.
func (m *Manager) Run(ctx context.Context) (err error) {
	raiseFileLimit()
	if m.Backend != nil {
		if err := m.Backend.resolve(); err != nil {
			return err
		}
	}
	c, err := claim(m.Name, m.Connections, m.Backend != nil)
	if err != nil {
		return err
	}
	defer c.object.Close() // drops the lock, after all else
	defer c.unmap()
	r, err := m.start(c)
	if err != nil {
		if c.before == 0 {
			err = errors.Join(err, c.close())
		}
		return err
	}
	defer r.close()
	done, all, err := r.loop(ctx, m.Workers)
	if !done && err == nil {
		err = r.lastReport()
	}
	err = errors.Join(err, c.close(), r.print())
	if err == nil && done && !all {
		err = ErrWorkersFailed
	}
	return err
}

// running is a manager at work.
type running struct {
	*watcher
	log    *bytes.Buffer // printed when the lock is free: a standard output that blocks keeps no worker waiting
	out    io.Writer
	lender *lender // nil: slots only
	wake   int     // an eventfd: ctx has ended
}

func (m *Manager) start(c *claimed) (*running, error) {
	log := &bytes.Buffer{}
	r := &running{watcher: newWatcher(c.pool, log), log: log, out: m.Log}
	if err := c.lock(); err != nil {
		return nil, err
	}
	c.manager = int32(unix.Getpid())
	c.managerStarted, _ = alive.Started(int(c.manager))
	c.unlock()
	var err error
	if r.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	if m.Backend != nil {
		if r.lender, err = newLender(c.pool, m.Backend, log); err != nil {
			_ = unix.Close(r.wake)
			return nil, err
		}
	}
	fmt.Fprintf(log, "Pool manager started (%d connections available)\n", c.free)
	if c.before != 0 {
		fmt.Fprintf(log, "Taking over the pool of manager %d, which is dead: %d of %d connections are lent\n",
			c.before, c.slots-c.free, c.slots)
	}
	return r, nil
}

func (r *running) close() {
	r.watcher.close()
	if r.lender != nil {
		r.lender.close()
	}
	_ = unix.Close(r.wake)
}

func (r *running) loop(ctx context.Context, workers int) (done, all bool, err error) {
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_, _ = unix.Write(r.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		close(ended)
	})
	defer func() {
		if !stop() {
			<-ended // it writes to a descriptor that is about to be closed
		}
	}()
	for {
		if err := r.print(); err != nil {
			return false, false, err
		}
		r.wait()
		if ctx.Err() != nil {
			return false, false, nil
		}
		if err := r.pool.lock(); errors.Is(err, errLocked) {
			fmt.Fprintln(r.log, "Somebody keeps the pool locked")
			continue
		} else if err != nil {
			return false, false, err
		}
		done, all = r.inspect(workers)
		r.pool.unlock()
		if done {
			return done, all, nil
		}
	}
}

// wait sleeps until something happens, and serves workers that ask.
func (r *running) wait() {
	on := []unix.PollFd{{Fd: int32(r.wake), Events: unix.POLLIN}}
	l := r.lender
	var asked int
	if l != nil {
		listener := unix.PollFd{Fd: -1, Events: unix.POLLIN}
		if len(l.clients) < maxClients {
			listener.Fd = int32(l.listener.Fd())
		}
		on = append(on, listener)
		asked = len(l.clients)
		for _, c := range l.clients {
			on = append(on, unix.PollFd{Fd: int32(c.Fd()), Events: unix.POLLIN})
		}
	}
	for i := range r.entries {
		if fd := r.entries[i].pidfd; fd >= 0 {
			on = append(on, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
		}
	}
	if n, _ := unix.Poll(on, int(tick.Milliseconds())); n <= 0 || l == nil {
		return
	}
	for i := range asked {
		if on[2+i].Revents != 0 {
			l.serve(i)
			break
		}
	}
	if on[1].Revents != 0 {
		l.accept()
	}
}

func (r *running) print() error {
	_, err := r.log.WriteTo(r.out)
	return err
}

// lastReport is about workers of which none was given yet.
func (r *running) lastReport() error {
	if err := r.pool.lock(); err != nil {
		return err
	}
	defer r.pool.unlock()
	if r.pool.counters.Seen != r.told.Seen {
		r.report()
	}
	return nil
}

// raiseFileLimit makes room for a descriptor for each worker and connection.
func raiseFileLimit() {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		limit.Cur = limit.Max
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	}
}
