package stress

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixmq"
	"unpipc/gobind/sysvmq"
	"unpipc/gobind/sysvsem"
	"unpipc/gobind/sysvshm"
	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/seats"
)

// The key of a System V object has ten bits that mark it as ours, of which the last three
// count, and 22 of its maker's pid, of which Linux has no longer ones.
const (
	keyMark    = 0x1c0 << 22
	keyPIDMask = 1<<22 - 1
	keyCounts  = 8
)

var keyCount atomic.Uint32

// create makes a System V object under a key that this process has not used yet.
func create[T any](get func(key sysvmq.Key) (T, error)) (object T, err error) {
	for range keyCounts {
		key := keyMark | keyCount.Add(1)%keyCounts<<22 | uint32(os.Getpid()&keyPIDMask)
		if object, err = get(sysvmq.Key(key)); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return object, err
}

func keyPID(key sysvmq.Key) (pid int, ours bool) {
	const marks = ^uint32(keyPIDMask | (keyCounts-1)<<22)
	return int(key & keyPIDMask), uint32(key)&marks == keyMark
}

// ownKey says whether a key is one of this process, or of a worker that is gone.
func ownKey(key sysvmq.Key) bool {
	pid, ours := keyPID(key)
	return ours && (pid == os.Getpid()&keyPIDMask || errors.Is(unix.Kill(pid, 0), unix.ESRCH))
}

// Leftovers are the objects of a suite that was killed.
func Leftovers() ([]exercise.Leftover, error) {
	left, err := seats.Leftovers("stress")
	if err != nil {
		return nil, err
	}
	add := func(pid int, name string, remove func() error) {
		if pid > 0 && errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			left = append(left, exercise.Leftover{Name: name, Why: fmt.Sprintf("process %d is gone", pid), Remove: remove})
		}
	}
	names, _ := posixmq.List() // without a mount there is nothing to be seen
	for _, name := range names {
		var pid, n int
		if _, err := fmt.Sscanf(name, "/unpipc-%d-stress-%d", &pid, &n); err == nil {
			add(pid, "message queue "+name, func() error { return posixmq.Unlink(name) })
		}
	}
	queues, err := sysvmq.List()
	if err != nil {
		return nil, err
	}
	for _, q := range queues {
		if pid, ours := keyPID(q.Key); ours && q.UID == os.Geteuid() {
			add(pid, fmt.Sprintf("System V queue key %s (msqid %d)", q.Key, q.ID), sysvmq.Open(q.ID).Remove)
		}
	}
	sets, err := sysvsem.List()
	if err != nil {
		return nil, err
	}
	for _, s := range sets {
		if pid, ours := keyPID(s.Key); ours && s.UID == os.Geteuid() {
			add(pid, fmt.Sprintf("System V semaphores key %s (semid %d)", s.Key, s.ID), sysvsem.Open(s.ID).Remove)
		}
	}
	segments, err := sysvshm.List()
	if err != nil {
		return nil, err
	}
	for _, s := range segments {
		if pid, ours := keyPID(s.Key); ours && s.UID == os.Geteuid() {
			add(pid, fmt.Sprintf("System V shared memory key %s (shmid %d)", s.Key, s.ID), sysvshm.Open(s.ID).Remove)
		}
	}
	return left, nil
}
