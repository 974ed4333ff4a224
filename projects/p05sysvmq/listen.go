package p05sysvmq

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
)

// ErrRemoved is in the errors of who uses a queue that was removed meanwhile.
var ErrRemoved = errors.New("the queue has been removed")

// Listen takes the key's lock and makes the key's queue. One that is there already is
// taken over with the messages in it, or removed if it is to be fresh. Log lines go to
// log; a quiet server logs only what went wrong, not every request.
//
// Errors name the key, the queue or the file of the lock: [ErrRunning] if the key has
// a living server; another for a queue of another user; *fs.PathError of msgget,
// msgctl and open.
func Listen(key sysvmq.Key, fresh bool, log io.Writer, quiet bool) (*Server, error) {
	l, err := acquire(key)
	if err != nil {
		return nil, err
	}
	s := &Server{key: key, lock: l, log: journal{to: log, quiet: quiet}}
	s.queue, s.inherited, err = claim(key, l.last, fresh)
	if err == nil {
		err = l.record(owner{os.Getpid(), s.queue.ID()})
	}
	if err != nil {
		return nil, errors.Join(err, l.release())
	}
	s.out = newOutbox(s.queue, &s.log)
	return s, nil
}

// claim makes the queue of a key, or takes the one that is there; inherited tells of
// that one.
func claim(key sysvmq.Key, last owner, fresh bool) (_ *sysvmq.Queue, inherited string, _ error) {
	for {
		q, err := sysvmq.Get(key, 0)
		if errors.Is(err, fs.ErrNotExist) {
			q, err = sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|0o600)
			if errors.Is(err, fs.ErrExist) {
				continue
			}
			return q, inherited, err
		} else if err != nil {
			return nil, "", err
		}
		st, err := q.Stat()
		if removed(err) {
			continue
		} else if err != nil {
			return nil, "", err
		}
		if err := belongs(key, st); err != nil {
			return nil, "", err
		}
		origin := "that was there"
		if last.msqid == q.ID() && last.pid != 0 {
			origin = fmt.Sprintf("of server %d, which is dead", last.pid)
		}
		if fresh {
			inherited = fmt.Sprintf("Removed the queue %s; messages in it: %d", origin, st.Messages)
			if err := q.Remove(); err != nil && !removed(err) {
				return nil, "", err
			}
			continue
		}
		if st.Mode != 0o600 {
			st.Mode = 0o600
			if err := q.Set(st); err != nil {
				return nil, "", err
			}
		}
		return q, fmt.Sprintf("Taking over the queue %s; messages in it: %d", origin, st.Messages), nil
	}
}

// belongs is nil for a queue of this user: others could read what is in it.
func belongs(key sysvmq.Key, st sysvmq.Stat) error {
	if st.UID != unix.Geteuid() {
		return fmt.Errorf("key %s: the queue (msqid %d) is another user's, with uid %d", key, st.ID, st.UID)
	}
	return nil
}
