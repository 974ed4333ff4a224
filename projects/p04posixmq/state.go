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
)

// state is the state directory. The package comment has its layout.
type state struct{ dir string }

// openState finds the directory of a place. It makes it if make is set; else an error
// that is fs.ErrNotExist says that it is not there.
func openState(dir string, make bool) (state, error) {
	s := state{dir}
	if make {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return s, err
		}
	}
	if err := ours(dir); err != nil {
		return s, err
	}
	// By its one true name, which marks the processes of its jobs.
	path, err := filepath.Abs(dir)
	if err == nil {
		s.dir, err = filepath.EvalSymlinks(path)
	}
	if err != nil || !make {
		return s, err
	}
	for _, sub := range []string{"new", "jobs", "running", "output"} {
		if err := os.Mkdir(s.path(sub), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return s, err
		}
	}
	return s, nil
}

// ours is nil for a directory, by its own name, that only this user can use.
func ours(dir string) error {
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return &fs.PathError{Op: "lstat", Path: dir, Err: err}
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return fmt.Errorf("%s: not a directory", dir)
	case int(st.Uid) != unix.Geteuid():
		return fmt.Errorf("%s: another user's directory", dir)
	case st.Mode&0o077 != 0:
		return fmt.Errorf("%s: others may use this directory (mode %04o), and what is in it is executed", dir, st.Mode&0o7777)
	}
	return nil
}

func (s state) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

// of is the file of a job in one of the folders.
func (s state) of(folder string, id int64) string {
	return s.path(folder, strconv.FormatInt(id, 10))
}

// open opens a file of the directory for reading and writing, and makes it if need be.
func (s state) open(name string, flags int) (*os.File, error) {
	return os.OpenFile(s.path(name), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|flags, 0o600)
}

// counting runs f while no other process can get a number. f is given the counter.
func (s state) counting(f func(counter *os.File) error) error {
	counter, err := s.open("counter", 0)
	if err != nil {
		return err
	}
	defer counter.Close() // ends the lock
	for {
		err := unix.Flock(int(counter.Fd()), unix.LOCK_EX)
		if err == nil {
			return f(counter)
		} else if err != unix.EINTR {
			return &fs.PathError{Op: "flock", Path: counter.Name(), Err: err}
		}
	}
}

// last is the number that a job was given last, 0 before the first.
func (s state) last() (int64, error) {
	text, err := os.ReadFile(s.path("counter"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	return parseCounter(s.path("counter"), text)
}

func parseCounter(path string, text []byte) (int64, error) {
	line := strings.TrimSuffix(string(text), "\n")
	if line == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(line, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s: %q is no number", path, line)
	}
	return n, nil
}

// owner is the process that holds the dispatcher's lock, 0 if none does, -1 if it is
// of another pid namespace.
func (s state) owner() (int, error) {
	f, err := os.Open(s.path("lock"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	defer f.Close()
	held := unix.Flock_t{Type: unix.F_RDLCK, Whence: unix.SEEK_SET}
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &held); err != nil {
		return 0, &fs.PathError{Op: "fcntl", Path: f.Name(), Err: err}
	}
	switch {
	case held.Type == unix.F_UNLCK:
		return 0, nil
	case held.Pid <= 0:
		return -1, nil
	}
	return int(held.Pid), nil
}

// own takes the dispatcher's lock, which ends with this process at the latest.
func (s state) own(queue string) (*os.File, error) {
	f, err := s.open("lock", 0)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK, Whence: unix.SEEK_SET})
		if err == nil {
			return f, nil
		}
		if err != unix.EAGAIN && err != unix.EACCES {
			return nil, errors.Join(&fs.PathError{Op: "fcntl", Path: f.Name(), Err: err}, f.Close())
		}
		_ = f.Close()
		pid, err := s.owner()
		if err != nil {
			return nil, err
		}
		if pid != 0 {
			return nil, fmt.Errorf("%s: a dispatcher is running already (process %d)", queue, pid)
		}
		// It has just ended.
		if f, err = s.open("lock", 0); err != nil {
			return nil, err
		}
	}
}
