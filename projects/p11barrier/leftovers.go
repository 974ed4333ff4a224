package p11barrier

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
	"unpipc/gobind/sysvsem"
	"unpipc/projects/internal/exercise"
)

// leftovers are the sets and boards of runs whose first process was killed together
// with all others. The board tells of the set: its name has both numbers.
func leftovers() ([]exercise.Leftover, error) {
	files, err := filepath.Glob("/dev/shm/unpipc-*-barrier-*")
	if err != nil {
		return nil, err
	}
	var left []exercise.Leftover
	for _, file := range files {
		var pid, semid int
		if n, _ := fmt.Sscanf(filepath.Base(file), "unpipc-%d-barrier-%d", &pid, &semid); n != 2 || pid < 1 {
			continue
		}
		if !dead(pid, semid) {
			continue
		}
		left = append(left, exercise.Leftover{
			Name:   fmt.Sprintf("System V semaphores (semid %d), %s", semid, file),
			Why:    fmt.Sprintf("process %d, which made them, is dead", pid),
			Remove: func() error { return removeLeft(file, pid, semid) },
		})
	}
	return left, nil
}

// dead says whether the process that made a set is dead: the kernel has taken back its
// unit of the set then. Where the set is gone there is its number.
func dead(pid, semid int) bool {
	set := sysvsem.Open(semid)
	st, err := set.Stat()
	if err == nil && st.Semaphores == semaphores {
		n, err := set.Value(owner)
		return err == nil && n == 0
	}
	return !errors.Is(err, fs.ErrPermission) && errors.Is(unix.Kill(pid, 0), unix.ESRCH)
}

// removeLeft looks again: the number of the set may have come to name another's.
func removeLeft(file string, pid, semid int) error {
	if !dead(pid, semid) {
		return nil
	}
	set := sysvsem.Open(semid)
	var err error
	if st, statErr := set.Stat(); statErr == nil && st.Semaphores == semaphores {
		err = set.Remove()
	}
	return errors.Join(err, posixshm.Unlink("/"+filepath.Base(file)))
}
