package p05sysvmq

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/alive"
)

const (
	// tidyAfter is how often the queue is searched for what nobody will take.
	tidyAfter = time.Second
	// sweepAtMost is how often it is while there is no room in it.
	sweepAtMost = 20 * time.Millisecond
	// The kernel tells nobody but a sleeping msgsnd of new room. These are the pauses
	// between looking for it.
	firstPause = 100 * time.Microsecond
	maxPause   = 10 * time.Millisecond
)

// outbox is the server's way back to its clients. It never sleeps in msgsnd: what
// finds no room is kept here, and a goroutine looks after it.
type outbox struct {
	queue *sysvmq.Queue
	log   *journal
	wake  chan struct{} // with room for one

	mu      sync.Mutex
	pending []outgoing // in the order in which they go out
	swept   time.Time  // when the queue was last searched
	room    *sysvmq.Message
}

// outgoing is a message that is a response.
type outgoing struct {
	mtype int64
	data  []byte
}

func newOutbox(q *sysvmq.Queue, log *journal) *outbox {
	return &outbox{queue: q, log: log, wake: make(chan struct{}, 1), room: sysvmq.NewMessage(firstRoom)}
}

// send sends a response now or as soon as there is room. It does not keep data.
func (o *outbox) send(mtype int64, data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pending) == 0 && o.put(outgoing{mtype, data}) {
		return
	}
	o.hold(outgoing{mtype, bytes.Clone(data)})
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// hold keeps a response; an earlier one to the same client is not waited for any more.
func (o *outbox) hold(r outgoing) {
	at := slices.IndexFunc(o.pending, func(p outgoing) bool { return p.mtype == r.mtype })
	if at >= 0 {
		o.pending[at] = r
	} else {
		o.pending = append(o.pending, r)
	}
}

// put sends without sleeping; false means that there is no room.
func (o *outbox) put(r outgoing) bool {
	err := o.queue.Send(r.mtype, r.data, sysvmq.NoWait)
	if errors.Is(err, unix.EAGAIN) {
		return false
	}
	if err != nil && !removed(err) { // of a removed queue the server will hear anyway
		o.log.printf("No response to client %d: %v", clientOf(r.mtype), err)
	}
	return true
}

// start starts the goroutine that looks after what lies about.
func (o *outbox) start() (stop, stopped chan struct{}) {
	stop, stopped = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		pause := firstPause
		timer := time.NewTimer(firstPause)
		defer timer.Stop()
		for {
			select {
			case <-stop:
				return
			case <-o.wake:
				pause = firstPause
			case <-timer.C:
				pause = min(2*pause, maxPause)
			}
			if o.tidy() {
				timer.Reset(pause)
			} else {
				timer.Reset(tidyAfter)
			}
		}
	}()
	return stop, stopped
}

func (o *outbox) stop(stop, stopped chan struct{}) {
	close(stop)
	<-stopped
}

// tidy sends what has room by now, and makes room where nobody waits for what is in
// the queue.
func (o *outbox) tidy() (lacksRoom bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	since := time.Since(o.swept)
	if since >= tidyAfter || len(o.pending) > 0 && since >= sweepAtMost {
		o.sweep()
		o.flush()
	}
	return len(o.pending) > 0
}

// clear is a sweep before anything is served: what a dead server left.
func (o *outbox) clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sweep()
	o.flush()
}

// flush sends what is pending, up to the first for which there is no room.
func (o *outbox) flush() {
	sent := 0
	for sent < len(o.pending) && o.put(o.pending[sent]) {
		sent++
	}
	o.pending = slices.Delete(o.pending, 0, sent)
}

// sweep takes every response out of the queue and drops those that nobody will take.
// The others are pending then. MSG_EXCEPT leaves the requests alone.
func (o *outbox) sweep() {
	o.swept = time.Now()
	st, err := o.queue.Stat()
	if err != nil {
		return
	}
	var all []outgoing
	for range st.Messages {
		data, err := receive(context.Background(), o.queue, &o.room, RequestType, sysvmq.Except|sysvmq.NoWait)
		if err != nil {
			break
		}
		all = append(all, outgoing{o.room.Type(), bytes.Clone(data)})
	}
	all = append(all, o.pending...)
	o.pending = o.pending[:0:0]
	for _, r := range all {
		if o.wanted(r) {
			o.hold(r)
		}
	}
}

// wanted says whether somebody may still take the response.
func (o *outbox) wanted(r outgoing) bool {
	pid := clientOf(r.mtype)
	resp, ok := parseResponse(r.data)
	if !ok {
		o.log.printf("Removed: a message of type %d that is no response", r.mtype)
		return false
	}
	if _, ok := alive.Started(pid); pid == 0 || !ok {
		o.log.printf("Removed: a response to client %d, who is gone", pid)
		return false
	}
	if resp.deadline <= now() {
		o.log.printf("Removed: a response to client %d, who no longer waits", pid)
		return false
	}
	return true
}
