package p10sempool

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/alive"
	"unpipc/projects/internal/exercise"
)

// shmFolder is where glibc keeps the objects of shm_open.
const shmFolder = "/dev/shm"

// leftovers are the pools of killed managers that no living worker uses. Only the magic
// tells that an object is a pool.
func leftovers() ([]exercise.Leftover, error) {
	files, err := os.ReadDir(shmFolder)
	if err != nil {
		return nil, err
	}
	var left []exercise.Leftover
	for _, f := range files {
		name := "/" + f.Name()
		if !f.Type().IsRegular() {
			continue
		}
		why, object := abandoned(name)
		if object == nil {
			continue
		}
		_ = object.Close()
		left = append(left, exercise.Leftover{
			Name:   filepath.Join(shmFolder, f.Name()),
			Why:    why,
			Remove: func() error { return removeLeft(name) },
		})
	}
	return left, nil
}

// abandoned opens a pool that nobody uses, and says how that is known; nil if it is in
// use, or is no pool.
func abandoned(name string) (why string, object *posixshm.Object) {
	if belongsToAnother(name) {
		return "", nil
	}
	o, err := posixshm.Open(name, unix.O_RDWR, 0)
	if err != nil {
		return "", nil // another user's, or gone
	}
	if why = unusedPool(o); why == "" {
		_ = o.Close()
		return "", nil
	}
	return why, o
}

// namedAfter is how names of benchmarks and tests begin: with their process.
var namedAfter = regexp.MustCompile(`^/unp(?:ipc|-test)-(\d+)-`)

// belongsToAnother says whether a pool is a living benchmark's or test's, which removes
// it itself.
func belongsToAnother(name string) bool {
	m := namedAfter.FindStringSubmatch(name)
	if m == nil {
		return false
	}
	pid, err := strconv.ParseInt(m[1], 10, 32)
	if err != nil || int(pid) == unix.Getpid() {
		return false
	}
	_, ok := alive.Started(int(pid))
	return ok
}

// unusedPool says why an object is a pool that nobody uses, "" if it is not.
func unusedPool(o *posixshm.Object) string {
	var st unix.Stat_t
	var begin [8]byte
	n, err := unix.Pread(o.Fd(), begin[:], 0)
	if err != nil || n != 8 || begin != magic && begin != making {
		return ""
	}
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if unix.FcntlFlock(uintptr(o.Fd()), unix.F_OFD_GETLK, &lock) != nil || lock.Type != unix.F_UNLCK {
		return "" // it has a manager, or is being made
	}
	if err := unix.Fstat(o.Fd(), &st); err != nil || st.Nlink == 0 || st.Uid != uint32(unix.Geteuid()) {
		return ""
	}
	p, err := mapped(o, st.Size)
	if err != nil {
		return "a pool without a manager: " + err.Error()
	}
	defer p.unmap()
	if p.inhabited() {
		return ""
	}
	return fmt.Sprintf("its manager, process %d, is dead, and so are its workers", p.manager)
}

// removeLeft looks again, now with the lock: a manager or a worker may have come, or
// another have removed it. Then it is no leftover, which is fs.ErrNotExist.
func removeLeft(name string) error {
	_, object := abandoned(name)
	if object == nil {
		return fmt.Errorf("pool %s: no longer left: %w", name, fs.ErrNotExist)
	}
	defer object.Close()
	locked, err := lockObject(object.Fd())
	if err == nil && (!locked || unusedPool(object) == "") {
		err = fmt.Errorf("pool %s: in use again: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return err
	}
	return posixshm.Unlink(name)
}
