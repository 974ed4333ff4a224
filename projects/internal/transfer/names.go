package transfer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixmq"
	"unpipc/gobind/posixshm"
	"unpipc/gobind/sysvmq"
	"unpipc/projects/internal/exercise"
)

// Objects with names tell by them which process made them, so that those of a killed
// one can be found: [Leftovers].

var nameCount atomic.Int64

// objectName is a new name for a queue or shared memory.
func objectName(what string) string {
	return fmt.Sprintf("/unpipc-%d-transfer-%d-%s", os.Getpid(), nameCount.Add(1), what)
}

var objectNamePattern = regexp.MustCompile(`^/unpipc-(\d+)-transfer-\d+-`)

// A System V key has 32 bits: ten that mark the queue as ours and 22 of the maker's
// pid, of which Linux has no longer ones. So a process has one such queue at a time.
const (
	keyMark    = 0x1b5 << 22
	keyPIDMask = 1<<22 - 1
)

func queueKey() sysvmq.Key { return sysvmq.Key(keyMark | os.Getpid()&keyPIDMask) }

// Leftovers are queues and shared memory whose makers were killed.
func Leftovers() ([]exercise.Leftover, error) {
	var left []exercise.Leftover
	add := func(what string, pid int, remove func() error) {
		if errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			left = append(left, exercise.Leftover{
				Name: what, Why: fmt.Sprintf("process %d is gone", pid), Remove: remove,
			})
		}
	}
	// Where the file system of queues is not mounted nobody can list them.
	queues, _ := posixmq.List()
	for _, name := range queues {
		if pid, ours := makerOf(name); ours {
			add("POSIX queue "+name, pid, func() error { return posixmq.Unlink(name) })
		}
	}
	files, err := filepath.Glob("/dev/shm/unpipc-*-transfer-*")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		name := "/" + filepath.Base(file)
		if pid, ours := makerOf(name); ours {
			add(file, pid, func() error { return posixshm.Unlink(name) })
		}
	}
	all, err := sysvmq.List()
	if err != nil {
		return nil, err
	}
	for _, st := range all {
		if st.Key&^keyPIDMask == keyMark && st.UID == os.Geteuid() && st.Mode == 0o600 {
			add(fmt.Sprintf("System V queue key %s (msqid %d)", st.Key, st.ID), int(st.Key&keyPIDMask),
				sysvmq.Open(st.ID).Remove)
		}
	}
	return left, nil
}

// makerOf is the process that a name tells of.
func makerOf(name string) (pid int, ours bool) {
	m := objectNamePattern.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	pid, err := strconv.Atoi(m[1])
	return pid, err == nil && pid > 0
}
