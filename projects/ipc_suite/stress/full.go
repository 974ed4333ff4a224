package stress

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
)

// fullScenario has workers that make more shared memory than there is room for: in a
// /dev/shm of 1 MiB that each mounts for itself, or, where it may not mount, under a limit
// on the size of its files. Nobody else's memory is touched.
var fullScenario = Scenario{
	Name:     "shm_full",
	Checks:   "a full /dev/shm is an error and no SIGBUS; what is there stays as it was; what is removed is room again",
	Sabotage: "an object is not removed",
	workers:  2, ops: 150, victim: 0, saboteur: 1,
	deaths: func(int) []point { return []point{before, middle, after, outside} },
	round: func(r *round) error {
		names := []string{r.name(), r.name(), r.name(), r.name()} // two for each worker
		r.args = names
		defer func() { // where there was one /dev/shm for all
			for _, name := range names {
				_ = posixshm.Unlink(name)
			}
		}()
		return r.run()
	},
	work: fillMemory,
}

const roomForShm = 1 << 20 // bytes

// confine gives this thread a small /dev/shm, or this process a limit, and is the error
// of what has no room.
func confine() (full error, err error) {
	runtime.LockOSThread()
	signal.Ignore(unix.SIGXFSZ)
	// A namespace that cannot be furnished is as good as the one before.
	if unix.Unshare(unix.CLONE_NEWNS) == nil &&
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") == nil &&
		unix.Mount("stress", "/dev/shm", "tmpfs", 0, fmt.Sprintf("size=%d", roomForShm)) == nil {
		return unix.ENOSPC, nil
	}
	limit := unix.Rlimit{Cur: roomForShm, Max: roomForShm}
	return unix.EFBIG, os.NewSyscallError("setrlimit", unix.Setrlimit(unix.RLIMIT_FSIZE, &limit))
}

func fillMemory(w *worker) error {
	full, err := confine()
	if err != nil {
		return err
	}
	small, large := w.args[2*w.index], w.args[2*w.index+1]
	for _, name := range []string{small, large} { // of one that was killed
		if err := posixshm.Unlink(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for w.begin() {
		if err := w.fillOnce(small, large, full); err != nil {
			return err
		}
		w.end()
	}
	return nil
}

func (w *worker) fillOnce(small, large string, full error) (err error) {
	pages := int(1 + w.choose(16, uint64(w.index), w.op, 'p'))
	a, memory, err := allocate(small, pages*os.Getpagesize())
	if err != nil {
		return err
	}
	for i := range memory {
		memory[i] = byte(w.op)
	}
	w.at(middle)
	b, _, err := allocate(large, roomForShm+1)
	w.slot.full.Add(1)
	if err := w.verify(errors.Is(err, full), "what has no room is an error", "%v", err); err != nil {
		return err
	}
	err = errors.Join(posixshm.Unlink(large), b.Close())
	// Its room is there again.
	c, more, errMore := allocate(large, roomForShm/2)
	if err := w.verify(err == nil && errMore == nil, "what was removed is room again", "%v", errors.Join(err, errMore)); err != nil {
		return err
	}
	more[len(more)-1] = 1
	for _, x := range memory {
		if x != byte(w.op) {
			return w.verify(false, "what is there stays as it was", "%#x instead of %#x", x, byte(w.op))
		}
	}
	err = errors.Join(posixshm.Unmap(memory), posixshm.Unmap(more), a.Close(), c.Close(), posixshm.Unlink(small))
	if !w.wrong() {
		err = errors.Join(err, posixshm.Unlink(large))
	}
	_, errStat := os.Stat(filepath.Join("/dev/shm", large))
	return errors.Join(err, w.verify(errors.Is(errStat, fs.ErrNotExist), "what was removed is gone", "%s", large))
}

// allocate makes an object with memory taken for it; the object is there after an error.
func allocate(name string, bytes int) (o *posixshm.Object, memory []byte, err error) {
	o, err = posixshm.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		return nil, nil, err
	}
	if err = o.Allocate(bytes); err == nil {
		memory, err = o.Map(bytes, true)
	}
	return o, memory, err
}
