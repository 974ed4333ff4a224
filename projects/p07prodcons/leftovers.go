package p07prodcons

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/exercise"
)

// ours is a name that [defaultName] gives.
var ours = regexp.MustCompile(`^unpipc-(\d+)-buffer$`)

// leftovers are the shared memory objects of killed runs: those whose lock nobody holds. One
// that was given a --name is not among them; the next run of that name takes it over.
func leftovers() ([]exercise.Leftover, error) {
	entries, err := os.ReadDir("/dev/shm")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var left []exercise.Leftover
	for _, e := range entries {
		name := "/" + e.Name()
		m := ours.FindStringSubmatch(e.Name())
		if m == nil || !isDead(name) {
			continue
		}
		left = append(left, exercise.Leftover{
			Name:   "/dev/shm" + name,
			Why:    fmt.Sprintf("its owner, process %s, is dead", m[1]),
			Remove: func() error { return removeDead(name) },
		})
	}
	return left, nil
}

func isDead(name string) bool {
	o, err := posixshm.Open(name, unix.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer o.Close()
	return !ownerLives(o.Fd())
}

// removeDead looks again, now with the lock: a run may have taken the name meanwhile.
func removeDead(name string) error {
	o, err := posixshm.Open(name, unix.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer o.Close()
	if flock(o.Fd(), unix.LOCK_EX|unix.LOCK_NB) != nil || !isNamed(o) {
		return nil
	}
	return posixshm.Unlink(name)
}
