package marks

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixsem"
	"unpipc/gobind/reclock"
	"unpipc/gobind/sysvmq"
	"unpipc/gobind/sysvsem"
	"unpipc/gobind/sysvshm"
	"unpipc/projects/internal/exercise"
)

// Leftovers is a function that lists the objects of a scope that nobody uses, and marks of
// which only the file is left.
func Leftovers(scope string) func() ([]exercise.Leftover, error) {
	return func() ([]exercise.Leftover, error) {
		files, err := filepath.Glob(prefix(scope) + "*-*")
		if err != nil {
			return nil, err
		}
		var left []exercise.Leftover
		for _, file := range files {
			kind, _, _ := strings.Cut(strings.TrimPrefix(file, prefix(scope)), "-")
			if l, err := leftover(file, Kind(kind)); err == nil && l != nil {
				left = append(left, *l)
			}
		}
		return left, nil
	}
}

// leftover is nil if somebody uses the object.
func leftover(path string, kind Kind) (*exercise.Leftover, error) {
	f, err := open(path, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	user, err := reclock.Description.Query(int(f.Fd()), reclock.Write, reclock.All)
	if err != nil || user != nil {
		return nil, err
	}
	o := (&Mark{file: f}).object(kind)
	if o != nil && o.used {
		return nil, nil
	}
	l := &exercise.Leftover{Name: path, Why: "its program is gone", Remove: func() error { return removeLeft(path, kind) }}
	if o != nil {
		l.Name, l.Why = o.what, "no process uses it"
	}
	return l, nil
}

// removeLeft looks again, now with the lock: a program may have come meanwhile.
func removeLeft(path string, kind Kind) error {
	f, err := open(path, 0)
	if err != nil {
		return err
	}
	m := &Mark{file: f}
	err = reclock.Description.TryLock(int(f.Fd()), reclock.Write, reclock.All)
	if errors.Is(err, unix.EAGAIN) || err == nil && !m.named() {
		return errors.Join(fmt.Errorf("%s: %w", path, ErrInUse), f.Close())
	} else if err != nil {
		return errors.Join(err, f.Close())
	}
	o := m.object(kind)
	if o != nil && o.used {
		err = fmt.Errorf("%s: %w", o.what, ErrInUse)
	} else if o != nil {
		err = o.remove()
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	return m.Remove()
}

// object is one that is there.
type object struct {
	what   string
	used   bool // as the kernel knows it
	remove func() error
}

// object is the one that was recorded, nil if it is gone: what has its name now is then
// somebody else's. It is nil too if the program was killed before it had made it.
func (m *Mark) object(kind Kind) *object {
	id, name, ok := m.record()
	if find := finders[kind]; ok && find != nil {
		return find(name, id)
	}
	return nil
}

var finders = map[Kind]func(name string, id uint64) *object{
	FIFO:       file(os.ModeNamedPipe),
	Socket:     file(os.ModeSocket),
	Semaphore:  posixSemaphore,
	Queue:      queue,
	Semaphores: semaphores,
	Segment:    segment,
}

func file(mode os.FileMode) func(path string, id uint64) *object {
	return func(path string, id uint64) *object {
		st, err := os.Lstat(path)
		inode, inodeErr := inodeOf(path)
		if err != nil || inodeErr != nil || st.Mode().Type() != mode || inode != id {
			return nil
		}
		return &object{what: path, remove: func() error { return os.Remove(path) }}
	}
}

// SemaphoreFile is where Linux has a POSIX semaphore.
func SemaphoreFile(name string) string { return "/dev/shm/sem." + strings.TrimPrefix(name, "/") }

func posixSemaphore(name string, id uint64) *object {
	if inode, err := inodeOf(SemaphoreFile(name)); err != nil || inode != id {
		return nil
	}
	return &object{what: "POSIX semaphore " + name, remove: func() error { return posixsem.Unlink(name) }}
}

// System V identifiers are not given again for a long time.

func key(name string) (int32, bool) {
	k, err := strconv.ParseUint(name, 0, 32)
	return int32(uint32(k)), err == nil
}

func queue(name string, id uint64) *object {
	k, ok := key(name)
	q, err := sysvmq.Get(sysvmq.Key(k), 0)
	if !ok || err != nil || uint64(q.ID()) != id {
		return nil
	}
	return &object{what: fmt.Sprintf("System V queue key %s (msqid %d)", name, id), remove: q.Remove}
}

func semaphores(name string, id uint64) *object {
	k, ok := key(name)
	set, err := sysvsem.Get(sysvsem.Key(k), 0, 0)
	if !ok || err != nil || uint64(set.ID()) != id {
		return nil
	}
	return &object{what: fmt.Sprintf("System V semaphores key %s (semid %d)", name, id), remove: set.Remove}
}

func segment(name string, id uint64) *object {
	k, ok := key(name)
	s, err := sysvshm.Get(sysvshm.Key(k), 0, 0)
	if !ok || err != nil || uint64(s.ID()) != id {
		return nil
	}
	st, err := s.Stat()
	if err != nil {
		return nil
	}
	return &object{what: fmt.Sprintf("System V shared memory key %s (shmid %d)", name, id), used: st.Attached > 0, remove: s.Remove}
}
