package p08rwlock

import (
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"unpipc/projects/internal/exercise"
)

// shmFolder is where shm_open puts its objects.
const shmFolder = "/dev/shm"

// leftovers are the shared memory objects of killed programs: locks, by what is in them,
// that nobody uses.
func leftovers() ([]exercise.Leftover, error) {
	files, err := os.ReadDir(shmFolder)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var left []exercise.Leftover
	for _, f := range files {
		if info, err := f.Info(); err != nil || !f.Type().IsRegular() || info.Size() != int64(boardSize) {
			continue
		}
		name := "/" + f.Name()
		if dead(name) {
			left = append(left, exercise.Leftover{
				Name:   filepath.Join(shmFolder, f.Name()),
				Why:    "no process uses the lock in it",
				Remove: func() error { return remove(name) },
			})
		}
	}
	return left, nil
}

// open opens the object if it is a lock.
func open(name string) (at *object, ok bool) {
	fd, err := unix.Open(filepath.Join(shmFolder, name), unix.O_RDWR|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || !ours(fd, &st) {
		unix.Close(fd)
		return nil, false
	}
	return &object{fd: fd, name: name}, true
}

// dead says whether the object is a lock that nobody uses or is about to use.
func dead(name string) bool {
	at, ok := open(name)
	if !ok {
		return false
	}
	defer unix.Close(at.fd)
	l := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: lifeByte, Len: gateByte - lifeByte + 1}
	return unix.FcntlFlock(uintptr(at.fd), unix.F_OFD_GETLK, &l) == nil && l.Type == unix.F_UNLCK
}

// remove looks again, behind the gate: somebody may have come meanwhile.
func remove(name string) error {
	at, ok := open(name)
	if !ok {
		return nil
	}
	defer unix.Close(at.fd)
	if err := at.lock(unix.F_WRLCK, gateByte, true); err != nil {
		return err
	}
	if at.lock(unix.F_WRLCK, lifeByte, false) != nil {
		return nil
	}
	if err := unix.Unlink(filepath.Join(shmFolder, name)); err != nil {
		return &os.PathError{Op: "unlink", Path: filepath.Join(shmFolder, name), Err: err}
	}
	return nil
}
