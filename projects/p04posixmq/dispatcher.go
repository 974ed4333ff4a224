package p04posixmq

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixmq"
)

// Options are how a dispatcher works.
type Options struct {
	Workers    int           // jobs at once
	MaxWaiting int           // jobs out of the queue that wait to be run
	Aging      time.Duration // in which a waiting job gains one priority; 0: never
	Notify     Notify
}

// phase is what the dispatcher still does.
type phase int

const (
	serving  phase = iota // takes jobs and runs them
	draining              // takes no more, runs those it has
	stopping              // starts no more, waits for those that run
)

// Dispatcher runs the jobs of a queue. It has one goroutine that does everything but
// to wait for the jobs.
type Dispatcher struct {
	place Place
	opts  Options
	state state
	lock  *os.File
	queue *posixmq.Queue
	attr  posixmq.Attr
	buf   []byte // for one message
	log   journal

	notified chan os.Signal // a message came to the empty queue
	unarmed  bool           // so there is no registration
	waiting  waiting
	early    map[int64]bool // taken by their files, and their messages may still come
	scanned  time.Time      // when jobs/ was last searched for old ones
	running  map[int64]*run
	ended    chan ending
	phase    phase
	failed   error
}

// Start makes a place's directory and queue or takes over what is there, registers
// for notification, and says so to log, which gets the output of the jobs, too.
//
// Errors: another dispatcher runs; another process is registered (EBUSY); those of
// mq_open, with the limit that was hit.
func Start(p Place, opts Options, log io.Writer) (*Dispatcher, error) {
	s, err := openState(p.stateDir(), true)
	if err != nil {
		return nil, err
	}
	d := &Dispatcher{
		place: p, opts: opts, state: s, log: journal{to: log},
		notified: make(chan os.Signal, 1),
		waiting:  waiting{has: map[int64]bool{}, aging: opts.Aging},
		early:    map[int64]bool{},
		running:  map[int64]*run{},
		ended:    make(chan ending),
	}
	if d.lock, err = s.own(p.Queue); err != nil {
		return nil, err
	}
	if err = d.prepare(); err != nil {
		return nil, errors.Join(err, d.close())
	}
	d.log.printf("Dispatcher running, queue: %s", p.Queue)
	return d, nil
}

func (d *Dispatcher) prepare() (err error) {
	// Through the descriptor with the lock: to close another one would end it.
	if err := d.lock.Truncate(0); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(d.lock, "%d\n", d.opts.Aging.Nanoseconds()); err != nil {
		return err
	}
	if d.queue, d.attr, err = d.place.open(unix.O_RDONLY); err != nil {
		return err
	}
	d.buf = make([]byte, d.attr.MsgSize)
	return d.arm()
}

// Run runs jobs until a signal out of signals ends it: SIGUSR2 when everything queued
// has run, SIGINT or SIGTERM when those that run have ended, which a second one
// hastens. Run must be called once, and releases everything.
func (d *Dispatcher) Run(signals <-chan os.Signal) error {
	if err := d.recover(); err != nil {
		d.fail(err)
	}
	for {
		d.dispatch()
		if len(d.running) == 0 && (d.phase == stopping || d.phase == draining && d.waiting.len() == 0) {
			return d.end()
		}
		select {
		case <-d.notified:
			d.unarmed = true
		case e := <-d.ended:
			d.finish(e)
		case sig := <-signals:
			d.told(sig)
		}
	}
}

// fail makes err the result of Run, and stops.
func (d *Dispatcher) fail(err error) {
	if d.failed == nil {
		d.failed = err
	}
	d.phase = stopping
}

// dispatch starts as many jobs as may run, and takes as many as may wait.
func (d *Dispatcher) dispatch() {
	if d.unarmed && d.phase == serving {
		// First, so that a message that comes after the last one taken is told of.
		d.unarmed = false
		if err := d.arm(); err != nil {
			d.fail(err)
		}
	}
	for {
		if d.phase == serving {
			d.take(d.opts.MaxWaiting)
		}
		if d.phase == serving && len(d.running) < d.opts.Workers && d.waiting.len() >= d.opts.MaxWaiting {
			// Not all is out of the queue: what is first there may be first of all.
			d.age()
			d.take(d.waiting.len() + 1)
		}
		if d.phase == stopping || len(d.running) >= d.opts.Workers || d.waiting.len() == 0 {
			break
		}
		d.start(d.waiting.next())
	}
	if d.log.err != nil {
		d.fail(d.log.err)
	}
}

// take takes messages until that many jobs wait or the queue is empty.
func (d *Dispatcher) take(limit int) {
	for d.waiting.len() < limit && d.receive() {
	}
}

func (d *Dispatcher) receive() bool {
	n, priority, err := d.queue.Receive(d.buf)
	if err == nil {
		err = d.accept(d.buf[:n], priority)
	} else if errors.Is(err, unix.EAGAIN) {
		return false
	}
	if err != nil {
		d.fail(err)
	}
	return err == nil
}

// accept makes a job of a message.
func (d *Dispatcher) accept(msg []byte, priority uint) error {
	id, command, ok := parseMessage(msg)
	if !ok {
		d.log.printf("Dispatcher: Dropped a message that is no job: %s", show(string(msg[:min(len(msg), 60)])))
		return nil
	}
	job, err := d.state.read("jobs", id)
	if err == nil && job.Command == command && job.Priority == priority {
		d.waiting.add(job)
		delete(d.early, id)
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) && d.early[id] {
		delete(d.early, id)
		return nil
	}
	last, failed := d.state.last()
	if failed != nil {
		return failed
	}
	if errors.Is(err, fs.ErrNotExist) && id > 0 && id <= last {
		d.log.printf("Dispatcher: Job %d has been taken already; its message is ignored", id)
		return nil
	}
	return d.adopt(command, priority)
}

// adopt makes a job of a message that submit_job has not sent.
func (d *Dispatcher) adopt(command string, priority uint) error {
	draft, err := d.state.draft(priority, command)
	if err != nil {
		return err
	}
	defer os.Remove(draft)
	id, err := d.state.publish(draft, func(int64) error { return nil })
	if err != nil {
		return err
	}
	job, err := d.state.read("jobs", id)
	if err != nil {
		return err
	}
	d.waiting.add(job)
	d.log.printf("Dispatcher: Job %d (priority %d) comes from another program", id, priority)
	return nil
}

// age takes jobs that wait in the queue, or for room in it, behind ones of a higher
// priority, once they have gained some. The queue would keep them back for ever.
func (d *Dispatcher) age() {
	now := time.Now()
	if d.opts.Aging == 0 || now.Sub(d.scanned) < d.opts.Aging {
		return
	}
	d.scanned = now
	d.scan(func(j *Job) bool { return now.Sub(j.Since) >= d.opts.Aging })
}

// scan takes jobs by their files.
func (d *Dispatcher) scan(wanted func(j *Job) bool) {
	jobs, err := d.state.all("jobs")
	if err != nil {
		d.fail(err)
	}
	for i := range jobs {
		if wanted(&jobs[i]) && d.waiting.add(jobs[i]) {
			d.early[jobs[i].ID] = true
		}
	}
}

// collect takes everything that is queued at this moment: what the queue holds, and
// the jobs whose messages it does not hold.
func (d *Dispatcher) collect() {
	for range d.attr.MaxMsg {
		if !d.receive() {
			break
		}
	}
	d.scan(func(*Job) bool { return true })
}

// told does what a signal asks for.
func (d *Dispatcher) told(sig os.Signal) {
	switch {
	case sig == drainSignal && d.phase == serving:
		d.collect()
		if d.phase == serving {
			d.phase = draining
		}
		d.log.printf("Dispatcher draining: %d running, %d waiting", len(d.running), d.waiting.len())
	case sig == drainSignal:
	case d.phase != stopping:
		d.phase = stopping
		d.log.printf("Dispatcher stopping: %d running", len(d.running))
	default:
		for _, r := range d.running {
			r.kill()
		}
	}
}

// end says what stays behind, and removes the queue if nothing does.
func (d *Dispatcher) end() error {
	var left int
	err := d.state.counting(func(*os.File) error {
		for _, folder := range []string{"jobs", "running"} {
			ids, err := d.state.ids(folder)
			if err != nil {
				return err
			}
			left += len(ids)
		}
		attr, err := d.queue.Attr()
		if err != nil || left+attr.CurMsgs > 0 {
			return err
		}
		return posixmq.Unlink(d.place.Queue)
	})
	d.log.printf("Dispatcher ended; jobs left: %d", left)
	return errors.Join(d.failed, err, d.log.err, d.close())
}

// close lets go of everything that Start took.
func (d *Dispatcher) close() error {
	signal.Stop(d.notified)
	var err error
	if d.queue != nil {
		err = d.queue.Close() // and with it the registration
	}
	return errors.Join(err, d.lock.Close())
}

// journal writes each line at once, and keeps the first error.
type journal struct {
	to  io.Writer
	err error
}

func (j *journal) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(j.to, format+"\n", args...); err != nil && j.err == nil {
		j.err = err
	}
}
