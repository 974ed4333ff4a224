package p13shmimage

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
	"unpipc/gobind/process"
)

// attempts bounds how often one slot's work is begun: what kills every worker that tries
// is no accident.
const attempts = 5

// master starts workers and replaces those that die.
type master struct {
	ctx context.Context
	*shared
	id  int // of the segment
	out io.Writer
}

// phase has a worker do the job for each of the slots and returns how long all took. done
// is called for each as it ends.
func (m *master) phase(job string, first, end int, done func(slot int)) (took time.Duration, err error) {
	// Workers see the end of this pipe when the master is gone, however it ended.
	alive, held, err := pipe.New(0)
	if err != nil {
		return 0, err
	}
	running := map[int]*worker{}
	defer func() {
		for _, w := range running {
			_ = w.Signal(unix.SIGKILL)
			_, _ = w.Wait()
		}
		_ = alive.Close()
		_ = held.Close()
	}()
	start := time.Now()
	launch := func(index, attempt int) error {
		m.slots[index].Done.Store(0)
		p, err := process.Start(&process.Cmd{
			Path:  "/proc/self/exe",
			Args:  []string{"shm_image_filter", "--worker=" + job, strconv.Itoa(m.id), strconv.Itoa(index)},
			Files: []int{alive.Fd(), 1, 2},
		})
		if err == nil {
			running[p.Pid()] = &worker{p, index, attempt}
		}
		return err
	}
	for i := first; i < end; i++ {
		if err := launch(i, 1); err != nil {
			return 0, err
		}
	}
	for len(running) > 0 {
		pid, err := process.Ended(m.ctx)
		if err != nil {
			return 0, err
		}
		w := running[pid]
		if w == nil {
			return 0, fmt.Errorf("process %d is no worker", pid)
		}
		status, err := w.Wait()
		if err != nil {
			return 0, err
		}
		delete(running, pid)
		if status.Exited() && status.Code() == 0 && m.slots[w.slot].Done.Load() == 1 {
			done(w.slot)
			continue
		}
		if w.attempt == attempts {
			return 0, fmt.Errorf("worker %d: %v, the %dth time", w.slot+1, status, attempts)
		}
		fmt.Fprintf(m.out, "[Worker %d] Died (%s), replaced\n", w.slot+1, reason(status))
		if err := launch(w.slot, w.attempt+1); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

// worker is a process that works on a slot.
type worker struct {
	*process.Process
	slot, attempt int
}

func reason(s process.Status) string {
	if s.Exited() {
		return fmt.Sprintf("exit status %d", s.Code())
	}
	return fmt.Sprintf("signal %d", int(s.Signal()))
}
