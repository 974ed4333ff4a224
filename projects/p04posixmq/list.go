package p04posixmq

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixmq"
)

// Listing is what there is at a place.
type Listing struct {
	Queue       string
	Dispatcher  int // its process; 0: none is running; -1: in another pid namespace
	Messages    int // in the queue
	MaxMessages int // 0: there is no queue
	Running     []Job
	Waiting     []Job // in the order in which they will run
}

// List looks what there is, and makes nothing.
func List(p Place) (*Listing, error) {
	l := &Listing{Queue: p.Queue}
	q, err := posixmq.Open(p.Queue, unix.O_RDONLY, 0, nil)
	if err == nil {
		attr, failed := q.Attr()
		l.Messages, l.MaxMessages = attr.CurMsgs, attr.MaxMsg
		err = errors.Join(failed, q.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	s, err := openState(p.stateDir(), false)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	} else if err != nil {
		return nil, err
	}
	if l.Dispatcher, err = s.owner(); err != nil {
		return nil, err
	}
	// In this order: a job that starts meanwhile is seen twice rather than never.
	if l.Waiting, err = s.all("jobs"); err != nil {
		return nil, err
	}
	if l.Running, err = s.all("running"); err != nil {
		return nil, err
	}
	running := map[int64]bool{}
	for _, j := range l.Running {
		running[j.ID] = true
	}
	var waiting []Job
	for _, j := range l.Waiting {
		if !running[j.ID] {
			waiting = append(waiting, j)
		}
	}
	l.Waiting = waiting
	aging := s.aging()
	sort.Slice(l.Waiting, func(a, b int) bool { return before(&l.Waiting[a], &l.Waiting[b], aging) })
	return l, nil
}

// all are the jobs in one of the folders, less those that are damaged or just leave.
func (s state) all(folder string) ([]Job, error) {
	ids, err := s.ids(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a directory that is just being made
	}
	var jobs []Job
	for _, id := range ids {
		if j, err := s.read(folder, id); err == nil {
			jobs = append(jobs, j)
		}
	}
	return jobs, err
}

// aging is the one of the dispatcher that runs, or ran last.
func (s state) aging() time.Duration {
	text, _ := os.ReadFile(s.path("lock"))
	ns, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || ns < 0 || ns > int64(MaxAging) {
		return 0
	}
	return time.Duration(ns)
}

// WriteTo writes the listing as lines of text.
func (l *Listing) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "Queue %s: ", l.Queue)
	if l.MaxMessages == 0 {
		b.WriteString("not there")
	} else {
		fmt.Fprintf(&b, "%d of %d messages", l.Messages, l.MaxMessages)
	}
	switch l.Dispatcher {
	case 0:
		b.WriteString("; no dispatcher is running\n")
	case -1:
		b.WriteString("; the dispatcher is in another pid namespace\n")
	default:
		fmt.Fprintf(&b, "; the dispatcher is process %d\n", l.Dispatcher)
	}
	state := "running"
	if l.Dispatcher == 0 {
		state = "interrupted"
	}
	for _, j := range l.Running {
		fmt.Fprintf(&b, "%s: job %d (priority %d): %s\n", state, j.ID, j.Priority, show(j.Command))
	}
	for _, j := range l.Waiting {
		fmt.Fprintf(&b, "waiting: job %d (priority %d): %s\n", j.ID, j.Priority, show(j.Command))
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}
