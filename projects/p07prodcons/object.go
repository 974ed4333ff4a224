package p07prodcons

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
)

// The shared memory of a run is a POSIX shared memory object with a lock on it (flock)
// that its owner holds as long as it lives. An object whose lock is free is a dead run's.

func flock(fd, how int) error {
	for {
		if err := unix.Flock(fd, how); err != unix.EINTR {
			return err
		}
	}
}

func ownerLives(fd int) bool {
	if flock(fd, unix.LOCK_SH|unix.LOCK_NB) != nil {
		return true
	}
	_ = flock(fd, unix.LOCK_UN)
	return false
}

// isNamed says whether the object is still the one that has its name.
func isNamed(o *posixshm.Object) bool {
	other, err := posixshm.Open(o.Name(), unix.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer other.Close()
	var ours, named unix.Stat_t
	return unix.Fstat(o.Fd(), &ours) == nil && unix.Fstat(other.Fd(), &named) == nil && ours.Ino == named.Ino
}

// isRuns says whether the object is a run's, or one that is not finished: it begins with
// zeros then.
func isRuns(o *posixshm.Object) bool {
	var first [8]byte
	n, err := unix.Pread(o.Fd(), first[:], 0)
	return err == nil && (n == 0 || first == [8]byte{} || string(first[:]) == magic)
}

// create makes a new object, locked, in place of one that a dead run left. Error: EEXIST,
// when a run that lives has it, or it is something else.
func create(name string) (*posixshm.Object, error) {
	for {
		how := unix.LOCK_EX
		o, err := posixshm.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
		made := err == nil
		if errors.Is(err, fs.ErrExist) {
			how |= unix.LOCK_NB
			o, err = posixshm.Open(name, unix.O_RDWR, 0)
		}
		if !made && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if flock(o.Fd(), how) != nil || !isRuns(o) {
			o.Close()
			return nil, &fs.PathError{Op: "shm_open", Path: name, Err: unix.EEXIST}
		}
		if isNamed(o) {
			if made {
				return o, nil
			}
			err = posixshm.Unlink(name)
		}
		if err := errors.Join(err, o.Close()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
}

// attach waits for a run of this name.
func attach(name string, patience time.Duration) (*guest, error) {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		g, err := attachNow(name)
		if g != nil || err != nil {
			return g, err
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("%s: no run has this name", name)
		}
	}
}

// attachNow gives nil where there is no run.
func attachNow(name string) (g *guest, err error) {
	o, err := posixshm.Open(name, unix.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, o.Close())
	}()
	size, err := o.Size()
	if err != nil || int64(size) < headSize || !ownerLives(o.Fd()) {
		return nil, err
	}
	memory, err := o.Map(size, true)
	if err != nil {
		return nil, err
	}
	if atomic.LoadUint64((*uint64)(unsafe.Pointer(&memory[0]))) != magicWord() {
		return nil, posixshm.Unmap(memory)
	}
	b := (*buffer)(unsafe.Pointer(&memory[0]))
	if bufferSize(int(b.capacity), b.items) > int64(size) {
		return nil, errors.Join(fmt.Errorf("%s: not the shared memory of a run", name), posixshm.Unmap(memory))
	}
	m, err := at(memory, nil)
	if err != nil {
		return nil, err
	}
	owner, err := unix.PidfdOpen(int(b.owner), 0)
	if err != nil || !ownerLives(o.Fd()) { // only now is it certain whose number that is
		return nil, fmt.Errorf("%s: %v", name, errOwnerDead)
	}
	return &guest{m, name, owner}, nil
}

func magicWord() uint64 { return *(*uint64)(unsafe.Pointer(unsafe.StringData(magic))) }

// publish lets others join.
func (m *monitor) publish() { atomic.StoreUint64(&m.buffer.magic, magicWord()) }

// defaultName is that of a run which is given none.
func defaultName() string { return fmt.Sprintf("/unpipc-%d-buffer", os.Getpid()) }
