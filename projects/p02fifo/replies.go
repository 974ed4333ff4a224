package p02fifo

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
)

// A client may make its FIFO, send its request and only then open its FIFO, so
// the server can be there first. It gets this long, without anybody else waiting.
const (
	patience   = 2 * time.Second
	firstPause = time.Millisecond
	maxPause   = 50 * time.Millisecond
	maxWaiting = 1024 // clients at a time
)

// replies is the server's way back to clients that may be slow, gone or made up.
// Nothing in it waits.
type replies struct {
	server  string // its FIFO
	uid     int
	log     *journal
	waiting map[int]*waiting // by pid
	next    time.Time        // when to look at them again
}

// waiting are replies, in their order, to one client that does not read yet.
type waiting struct {
	text           string
	deadline, next time.Time
	pause          time.Duration
}

// send sends a line, now or as soon as the client opens its FIFO.
func (r *replies) send(pid int, line string) {
	w := r.waiting[pid]
	if w == nil {
		if r.deliver(pid, line, len(r.waiting) == maxWaiting) {
			return
		}
		now := time.Now()
		w = &waiting{deadline: now.Add(patience), next: now.Add(firstPause), pause: firstPause}
		r.waiting[pid] = w
		r.next = w.next // nobody's can be sooner
	}
	if len(w.text)+len(line) > MaxRequestBytes {
		r.log.printf("No reply to client %d: too many are waiting", pid)
		return
	}
	w.text += line
}

// retry tries again what is due.
func (r *replies) retry() {
	if len(r.waiting) == 0 {
		return
	}
	now := time.Now()
	if now.Before(r.next) {
		return
	}
	r.next = time.Time{}
	for pid, w := range r.waiting {
		if !now.Before(w.next) {
			if r.deliver(pid, w.text, !now.Before(w.deadline)) {
				delete(r.waiting, pid)
				continue
			}
			w.pause = min(2*w.pause, maxPause)
			w.next = now.Add(w.pause)
		}
		if r.next.IsZero() || w.next.Before(r.next) {
			r.next = w.next
		}
	}
}

// deliver sends whole lines. It returns false, having sent none, if nobody reads
// yet and this is not the last try.
func (r *replies) deliver(pid int, text string, lastTry bool) bool {
	path := ReplyPath(r.server, pid)
	w, err := fifo.OpenWriter(context.Background(), path, unix.O_NONBLOCK)
	if errors.Is(err, unix.ENXIO) && !lastTry {
		return false
	}
	if err == nil {
		defer w.Close()
		err = r.ours(w.Fd())
	}
	if err == nil {
		if !r.log.quiet {
			for line := range strings.Lines(text) {
				r.log.printf("Sending response: %s to %s", line[:len(line)-1], path)
			}
		}
		// At most PIPE_BUF bytes: all of them or none.
		_, err = w.Write([]byte(text))
	}
	if err != nil {
		r.log.printf("No reply to %s: %s", path, reason(err))
	}
	return true
}

// ours is nil for a FIFO of this user. Root serves everybody.
func (r *replies) ours(fd int) error {
	if r.uid == 0 {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if int(st.Uid) != r.uid {
		return errNotOurs
	}
	return nil
}

// reason says why a reply was not sent.
func reason(err error) string {
	switch {
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.EPIPE):
		return "no reader"
	case errors.Is(err, fs.ErrNotExist):
		return "no such FIFO"
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.EINVAL):
		return errNotFIFO.Error()
	case errors.Is(err, unix.EAGAIN):
		return "FIFO full"
	}
	return err.Error()
}
