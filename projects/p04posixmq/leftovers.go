package p04posixmq

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixmq"
	"unpipc/projects/internal/exercise"
)

// leftovers are the queues, and the directories, that no dispatcher has and no job is
// in, as far as they are where the programs put them without being told.
func leftovers() ([]exercise.Leftover, error) {
	left, err := benchLeftovers()
	if err != nil {
		return nil, err
	}
	pattern := DefaultState("/*")
	dirs, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		p := Place{Queue: "/" + strings.TrimPrefix(dir, strings.TrimSuffix(pattern, "*"))}
		s, err := openState(dir, false)
		if err != nil || CheckQueueName(p.Queue) != nil || p.unused(s) != nil {
			continue
		}
		const why = "no dispatcher, no job"
		if q, err := posixmq.Open(p.Queue, unix.O_RDONLY, 0, nil); err == nil {
			_ = q.Close()
			left = append(left, exercise.Leftover{Name: "message queue " + p.Queue, Why: why, Remove: func() error {
				return p.claim(s, func() error { return posixmq.Unlink(p.Queue) })
			}})
		}
		left = append(left, exercise.Leftover{Name: dir, Why: why, Remove: func() error {
			return p.claim(s, func() error { return os.RemoveAll(dir) })
		}})
	}
	return left, nil
}

// benchLeftovers are what a benchmark that was killed has worked in.
func benchLeftovers() (left []exercise.Leftover, err error) {
	dirs, err := filepath.Glob(filepath.Join(benchFolder(), "unpipc-[0-9]*-jobs-*"))
	for _, dir := range dirs {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), "unpipc-"), "-")
		pid, err := strconv.Atoi(number)
		if err != nil || !errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			continue
		}
		left = append(left, exercise.Leftover{Name: dir, Why: fmt.Sprintf("process %d is gone", pid), Remove: func() error {
			if err := posixmq.Unlink("/" + filepath.Base(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return os.RemoveAll(dir)
		}})
	}
	return left, err
}

var errUsed = errors.New("is in use")

// unused is nil for a place that has no dispatcher and no job.
func (p *Place) unused(s state) error {
	if pid, err := s.owner(); err != nil || pid != 0 {
		return errors.Join(fmt.Errorf("%s %w", s.dir, errUsed), err)
	}
	return p.empty(s)
}

// empty is nil for a place that has no job.
func (p *Place) empty(s state) error {
	for _, folder := range []string{"jobs", "running"} {
		ids, err := s.ids(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if len(ids) > 0 {
			return fmt.Errorf("%s %w", s.dir, errUsed)
		}
	}
	q, err := posixmq.Open(p.Queue, unix.O_RDONLY, 0, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer q.Close()
	if err := private(q); err != nil {
		return err
	}
	attr, err := q.Attr()
	if err != nil {
		return err
	}
	status, err := q.Status()
	if err != nil {
		return err
	}
	// A dispatcher whose directory is elsewhere is registered.
	if attr.CurMsgs > 0 || status.NotifyPID != 0 {
		return fmt.Errorf("%s %w", p.Queue, errUsed)
	}
	return nil
}

// claim runs remove while no program can come to use the place, if none does.
func (p *Place) claim(s state, remove func() error) error {
	lock, err := s.own(p.Queue)
	if err != nil {
		return err
	}
	defer lock.Close()
	return s.counting(func(*os.File) error {
		if err := p.empty(s); err != nil {
			return err
		}
		return remove()
	})
}
