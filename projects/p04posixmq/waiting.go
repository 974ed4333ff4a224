package p04posixmq

import (
	"container/heap"
	"time"
)

// waiting are the jobs that the dispatcher has taken, the next one to run first.
type waiting struct {
	jobs  []Job
	has   map[int64]bool
	aging time.Duration
}

// add adds a job, unless it is there: its file may be found before its message.
func (w *waiting) add(j Job) bool {
	if w.has[j.ID] {
		return false
	}
	w.has[j.ID] = true
	heap.Push((*byOrder)(w), j)
	return true
}

func (w *waiting) next() Job {
	j := heap.Pop((*byOrder)(w)).(Job)
	delete(w.has, j.ID)
	return j
}

func (w *waiting) len() int { return len(w.jobs) }

// byOrder is waiting as container/heap wants it.
type byOrder waiting

func (w *byOrder) Len() int           { return len(w.jobs) }
func (w *byOrder) Less(a, b int) bool { return before(&w.jobs[a], &w.jobs[b], w.aging) }
func (w *byOrder) Swap(a, b int)      { w.jobs[a], w.jobs[b] = w.jobs[b], w.jobs[a] }
func (w *byOrder) Push(j any)         { w.jobs = append(w.jobs, j.(Job)) }

func (w *byOrder) Pop() any {
	last := len(w.jobs) - 1
	j := w.jobs[last]
	w.jobs[last] = Job{}
	w.jobs = w.jobs[:last]
	return j
}
