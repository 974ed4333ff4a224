package p04posixmq

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Job is a command that waits or runs.
type Job struct {
	ID       int64
	Priority uint
	Command  string // for /bin/sh -c
	Since    time.Time
}

// before says whether a is to run before b: by priority, then by number. With aging,
// a job gains one priority each time that much has passed. As all gain alike, what
// counts is the priority less the time of queueing: the order of two jobs never
// changes, and a heap stays one.
func before(a, b *Job, aging time.Duration) bool {
	x, y := int64(a.Priority), int64(b.Priority)
	if aging > 0 {
		x = x*int64(aging) - a.Since.UnixNano()
		y = y*int64(aging) - b.Since.UnixNano()
	}
	if x != y {
		return x > y
	}
	return a.ID < b.ID
}

// MaxAging keeps the sums in before within 64 bits.
const MaxAging = 24 * time.Hour

// message is what the queue carries of a job.
func message(id int64, command string) []byte { return fmt.Appendf(nil, "%d %s", id, command) }

func parseMessage(msg []byte) (id int64, command string, ok bool) {
	number, rest, ok := bytes.Cut(msg, []byte(" "))
	id, ok1 := parseID(string(number))
	return id, string(rest), ok && ok1 && len(rest) > 0 && bytes.IndexByte(rest, 0) < 0
}

// parseID reads digits only: no sign, and no zero before them but a lone one.
func parseID(text string) (int64, bool) {
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil && strconv.FormatInt(id, 10) == text && id >= 0
}

// read reads a job from one of the folders.
func (s state) read(folder string, id int64) (Job, error) {
	path := s.of(folder, id)
	text, err := os.ReadFile(path)
	if err != nil {
		return Job{}, err
	}
	st, err := os.Stat(path)
	if err != nil {
		return Job{}, err
	}
	number, command, ok := strings.Cut(string(text), " ")
	priority, ok1 := parseID(number)
	if !ok || !ok1 || priority > MaxPriority || command == "" || strings.IndexByte(command, 0) >= 0 {
		return Job{}, fmt.Errorf("%s: not a job", path)
	}
	return Job{id, uint(priority), command, st.ModTime()}, nil
}

// ids are the jobs in one of the folders, by number.
func (s state) ids(folder string) ([]int64, error) {
	entries, err := os.ReadDir(s.path(folder))
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, e := range entries {
		if id, ok := parseID(e.Name()); ok && id > 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

var drafts atomic.Int64

// draft writes a job that has no number yet. Its name begins with the number of this
// process: the draft of a process that is gone is nobody's.
func (s state) draft(priority uint, command string) (path string, err error) {
	f, err := s.open(fmt.Sprintf("new/%d.%d", os.Getpid(), drafts.Add(1)), os.O_TRUNC)
	if err != nil {
		return "", err
	}
	_, err = fmt.Fprintf(f, "%d %s", priority, command)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
	}
	return f.Name(), err
}

// publish gives a draft the next number and makes it a job. ready is called first,
// with the number, and may refuse.
func (s state) publish(draft string, ready func(id int64) error) (id int64, err error) {
	err = s.counting(func(counter *os.File) error {
		last, err := s.last()
		if err != nil {
			return err
		}
		for id = last + 1; ; id++ {
			if err := ready(id); err != nil {
				return err
			}
			if _, err := counter.WriteAt(fmt.Appendf(nil, "%d\n", id), 0); err != nil {
				return err
			}
			// The time of queueing is to follow the numbers.
			if err := unix.UtimesNanoAt(unix.AT_FDCWD, draft, nil, 0); err != nil {
				return &fs.PathError{Op: "utimensat", Path: draft, Err: err}
			}
			// Not rename, which would replace a job of that number: the counter may
			// have been lost.
			if err := os.Link(draft, s.of("jobs", id)); !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
	})
	if err != nil {
		return 0, err
	}
	return id, s.syncJobs()
}

// syncJobs makes the names in jobs/ outlive a failure of power.
func (s state) syncJobs() error {
	dir, err := os.Open(s.path("jobs"))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// show escapes what would make a terminal do something.
func show(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == 0x7f {
			fmt.Fprintf(&b, `\x%02x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
