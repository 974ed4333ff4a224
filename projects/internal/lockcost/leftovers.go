package lockcost

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixsem"
	"unpipc/gobind/sysvsem"
	"unpipc/projects/internal/exercise"
)

// The key of System V semaphores has ten bits that mark them as ours and 22 of their
// maker's pid, of which Linux has no longer ones, so that those of a killed process can
// be found: ref/locks.h has the same.
const (
	keyMark    = 0x1b5 << 22
	keyPIDMask = 1<<22 - 1
)

func setKey(pid int) sysvsem.Key { return sysvsem.Key(keyMark | pid&keyPIDMask) }

// semName is the named semaphore of a process.
func semName(pid int) string { return fmt.Sprintf("/unpipc-%d-lockcost", pid) }

// Leftovers are the semaphores whose makers were killed. All else that a role uses ends
// with it.
func Leftovers() ([]exercise.Leftover, error) {
	sets, err := sysvsem.List()
	if err != nil {
		return nil, err
	}
	var left []exercise.Leftover
	for _, st := range sets {
		pid := int(st.Key & keyPIDMask)
		if st.Key&^keyPIDMask != keyMark || st.UID != os.Geteuid() || !errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			continue
		}
		left = append(left, exercise.Leftover{
			Name: fmt.Sprintf("System V semaphores key %s (semid %d)", st.Key, st.ID),
			Why:  fmt.Sprintf("process %d is gone", pid), Remove: sysvsem.Open(st.ID).Remove,
		})
	}
	names, err := posixsem.List()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		var pid int
		if n, _ := fmt.Sscanf(name, "/unpipc-%d-lockcost", &pid); n != 1 || name != semName(pid) ||
			!errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			continue
		}
		left = append(left, exercise.Leftover{
			Name: "POSIX semaphore " + name, Why: fmt.Sprintf("process %d is gone", pid),
			Remove: func() error { return posixsem.Unlink(name) },
		})
	}
	return left, nil
}
