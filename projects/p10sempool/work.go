package p10sempool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// Job is what the worker program does.
type Job struct {
	Pool     string
	Number   uint32
	Timeout  time.Duration // for a connection
	RealTime bool          // see Worker.RealTime
	Hold     time.Duration // to keep the connection
	Send     string        // a line to send on it, "" for none
	Count    int           // connections to take, one after the other
	Log      io.Writer
}

// joinPatience is how long a worker waits for a pool to be made: its manager may have
// been started just now.
const joinPatience = time.Second

// Run does the job. When ctx ends, what the worker holds is given back at once; the
// process is to end then, for Run may still sleep.
func (j *Job) Run(ctx context.Context) error {
	w, err := j.join(ctx)
	if err != nil {
		return err
	}
	left := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { left <- w.Leave(false) })
	ended := make(chan error, 1)
	go func() { ended <- j.work(w) }()
	select {
	case err = <-ended:
	case err = <-left:
		return errors.Join(context.Cause(ctx), err)
	}
	if !stop() {
		return errors.Join(context.Cause(ctx), <-left)
	}
	if leaveErr := w.Leave(err == nil); err == nil {
		err = leaveErr
	}
	w.unmap()
	return err
}

func (j *Job) join(ctx context.Context) (*Worker, error) {
	patience := time.Now().Add(min(j.Timeout, joinPatience))
	for {
		w, err := Join(j.Pool, j.Number, j.Log)
		if err == nil {
			w.RealTime = j.RealTime
			return w, nil
		}
		if time.Now().After(patience) || ctx.Err() != nil {
			return nil, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (j *Job) work(w *Worker) error {
	if j.Send != "" && w.pool.lends == 0 {
		return named(j.Pool, errors.New("it has no connections to send on, only slots"))
	}
	start := time.Now()
	if err := j.once(w); err != nil || j.Count == 1 {
		return err
	}
	w.log = nil
	for range j.Count - 1 {
		if err := j.once(w); err != nil {
			return err
		}
	}
	w.log = j.Log
	elapsed := time.Since(start).Seconds()
	w.say("%d connections in %.3f s, %.0f per second", j.Count, elapsed, float64(j.Count)/elapsed)
	return nil
}

// once takes a connection, uses it and gives it back.
func (j *Job) once(w *Worker) error {
	var deadline time.Time // for the descriptor
	if w.pool.lends != 0 {
		deadline = time.Now().Add(j.Timeout)
	}
	if err := w.Acquire(j.Timeout); err != nil {
		return err
	}
	w.used()
	if w.pool.lends != 0 {
		if err := j.use(w, deadline); err != nil {
			return err
		}
	} else if j.Hold > 0 {
		time.Sleep(j.Hold)
	}
	return w.Release()
}

// use gets the connection's descriptor, from the next manager if this one dies.
func (j *Job) use(w *Worker, deadline time.Time) error {
	fd, err := w.borrow()
	for err != nil {
		if errors.Is(err, ErrLeft) || time.Now().After(deadline) {
			return fmt.Errorf("worker %d: connection %d: %w", w.number, w.slot+1, err)
		}
		time.Sleep(50 * time.Millisecond)
		fd, err = w.borrow()
	}
	defer unix.Close(fd)
	if j.Send != "" {
		line, err := ask(fd, j.Send, time.Now().Add(j.Timeout))
		if err != nil {
			return fmt.Errorf("worker %d: connection: %w", w.number, err)
		}
		w.say("%s -> %s", j.Send, line)
	}
	time.Sleep(j.Hold)
	return nil
}
