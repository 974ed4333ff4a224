package p05sysvmq

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvmq"
)

// lockPrefix and a key are the name of the file that the key's server has locked.
// Containers that share an IPC namespace share /dev/shm with it.
const lockPrefix = "/dev/shm/sysv_server."

func lockPath(key sysvmq.Key) string { return lockPrefix + key.String() }

// Why there can be no server.
var (
	// ErrRunning is in the error of [Listen] when the queue has a living server.
	ErrRunning = errors.New("a server is already running")

	errReplaced = errors.New("keeps being replaced")
	errNotOurs  = errors.New("another user's file")
	errNotPlain = errors.New("not a plain file")
)

// owner is the server that holds, or was the last to hold, a key's lock.
type owner struct{ pid, msqid int }

// lock is a key's lock, held by this process. It is one of the open file description
// (F_OFD_SETLK): neither closing another descriptor of the file nor another server in
// this process affects it.
type lock struct {
	path string
	file *os.File
	last owner // who left the file behind, zero if nobody did
}

// acquire takes the key's lock. The file may be one that its owner was just removing,
// so its name is looked at again.
// Errors name the file or the key: [ErrRunning]; *fs.PathError of open.
func acquire(key sysvmq.Key) (*lock, error) {
	path := lockPath(key)
	for range 10 {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, err
		}
		if err := ours(f); err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		last := readOwner(f)
		whole := unix.Flock_t{Type: unix.F_WRLCK}
		if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &whole); err != nil {
			_ = f.Close()
			if err == unix.EAGAIN || err == unix.EACCES {
				return nil, fmt.Errorf("key %s: %w (process %d)", key, ErrRunning, last.pid)
			}
			return nil, &fs.PathError{Op: "lock", Path: path, Err: err}
		}
		l := &lock{path: path, file: f, last: last}
		if l.named() {
			return l, f.Chmod(0o600) // whatever the umask
		}
		_ = f.Close()
	}
	return nil, fmt.Errorf("%s: %w", path, errReplaced)
}

// record writes down who holds the lock, and for which queue.
func (l *lock) record(o owner) error {
	text := fmt.Appendf(nil, "%-10d %-10d\n", o.pid, o.msqid)
	_, err := l.file.WriteAt(text, 0) // always as long
	return err
}

// release removes the file, which ends the lock. Another's file of that name stays.
func (l *lock) release() error {
	var err error
	if l.named() {
		err = os.Remove(l.path)
	}
	return errors.Join(err, l.file.Close())
}

// named says whether the path is still the file's name.
func (l *lock) named() bool {
	a, errA := os.Lstat(l.path)
	b, errB := l.file.Stat()
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// ours is nil for a plain file of this user.
func ours(f *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return errNotPlain
	}
	if int(st.Uid) != unix.Geteuid() {
		return errNotOurs
	}
	return nil
}

func readOwner(f *os.File) (o owner) {
	text := make([]byte, 64)
	n, _ := f.ReadAt(text, 0)
	_, _ = fmt.Sscan(string(text[:n]), &o.pid, &o.msqid) // zero: not written yet
	return o
}

// lastOwner tells who holds, or was the last to hold, a key's lock. It does not take
// the lock, not even for a moment. Error: fs.ErrNotExist if no server left a file.
func lastOwner(key sysvmq.Key) (o owner, alive bool, err error) {
	f, err := os.OpenFile(lockPath(key), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return owner{}, false, err
	}
	defer f.Close()
	if err := ours(f); err != nil {
		return owner{}, false, fmt.Errorf("%s: %w", lockPath(key), err)
	}
	whole := unix.Flock_t{Type: unix.F_RDLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &whole); err != nil {
		return owner{}, false, &fs.PathError{Op: "lock", Path: lockPath(key), Err: err}
	}
	return readOwner(f), whole.Type != unix.F_UNLCK, nil
}
