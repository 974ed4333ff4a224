package lockcost

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/process"
	"unpipc/gobind/pthread"
	"unpipc/projects/internal/measure"
)

// errAlone ends a worker whose starter is gone.
var errAlone = errors.New("the process that started this one is gone")

// share is what one worker does.
func (r *role) share(index int) uint64 {
	if r.kind.turns {
		return r.count
	}
	n := r.count / uint64(r.workers)
	if uint64(index) < r.count%uint64(r.workers) {
		n++
	}
	return n
}

// play is what a worker does from its start to its end, on a thread of its own.
func (r *role) play(w *worker, wanted func() bool) error {
	if w.workers > 1 {
		if err := measure.KeepToCPU(w.index); err != nil {
			return err
		}
	}
	do, err := r.kind.join(w)
	if err != nil {
		return err
	}
	w.ready.Add(1)
	for !w.awaitBegin() {
		if !wanted() {
			return errAlone
		}
	}
	w.woken[w.index] = now()
	w.awake.Add(1)
	for !w.allAwake() {
		if !wanted() {
			return errAlone
		}
	}
	err = do(r.share(w.index))
	w.done[w.index] = now()
	return err
}

// run starts the workers, lets them go, and verifies what they have done.
func (r *role) run() (o measure.Outcome, err error) {
	m, err := newMemory()
	if err != nil {
		return o, err
	}
	defer func() {
		if err == nil {
			err = m.close()
		} else {
			_ = m.file.Close() // somebody may still be at work in the memory
		}
	}()
	m.workers, m.maker = int32(r.workers), int32(os.Getpid())
	if r.kind.prepare != nil {
		if err := r.kind.prepare(r, m); err != nil {
			return o, err
		}
	}
	if r.kind.clean != nil {
		defer func() { err = errors.Join(err, r.kind.clean(m)) }()
	}
	start := r.startThreads
	if r.processes {
		start = r.startProcesses
	}
	ended, stop, err := start(m)
	if err != nil {
		return o, err
	}
	for m.ready.Load() < uint32(r.workers) {
		select {
		case err := <-ended: // none can have done its work
			stop()
			return o, err
		case <-time.After(100 * time.Microsecond):
		}
	}
	m.letGo()
	for range r.workers {
		if err := <-ended; err != nil {
			stop() // the others may wait for it for ever
			return o, err
		}
	}
	want := int64(r.count)
	if r.kind.turns {
		want *= int64(r.workers)
	}
	if m.counter != want {
		return o, fmt.Errorf("%s: the counter is at %d after %d increments", r.lock, m.counter, want)
	}
	took := slices.Max(m.done[:r.workers]) - slices.Max(m.woken[:r.workers])
	return measure.Outcome{Count: int64(r.count), NS: max(took, 1)}, nil // a clock may tick slowly
}

// startThreads starts the workers as threads. A stop ends those that have not begun; the
// others end with the process at the latest.
func (r *role) startThreads(m *memory) (ended chan error, stop func(), err error) {
	ended = make(chan error, r.workers)
	if r.lock != "sync_mutex" { // as package pthread says of threads that meet at locks
		runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), r.workers+1))
	}
	var stopped atomic.Bool
	for i := range r.workers {
		pthread.Go(func() { ended <- r.play(&worker{m, i}, func() bool { return !stopped.Load() }) })
	}
	return ended, func() { stopped.Store(true) }, nil
}

func (r *role) startProcesses(m *memory) (ended chan error, stop func(), err error) {
	ended = make(chan error, r.workers)
	var children []*process.Process
	stop = func() {
		for _, c := range children {
			_ = c.Signal(unix.SIGKILL)
		}
	}
	for i := range r.workers {
		c, err := process.Start(&process.Cmd{
			Args: []string{"/proc/self/exe", roleArgument, "--lock", r.lock, "--processes",
				"--workers", itoa(r.workers), "--count", strconv.FormatUint(r.count, 10),
				"--worker", itoa(i), "--parent", itoa(os.Getpid())},
			Files: []int{0, 1, 2, m.file.Fd()},
		})
		if err != nil {
			stop()
			return nil, nil, err
		}
		children = append(children, c)
		go func() {
			status, err := c.Wait()
			if err == nil && status != 0 {
				err = fmt.Errorf("worker %d: %v", i, status)
			}
			ended <- err
		}()
	}
	return ended, stop, nil
}
