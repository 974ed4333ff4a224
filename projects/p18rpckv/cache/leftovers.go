package cache

import (
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/exercise"
)

// Leftovers are the caches of this user's servers that have ended without removing them.
func Leftovers() ([]exercise.Leftover, error) {
	all, err := posixshm.List()
	if err != nil {
		return nil, err
	}
	var left []exercise.Leftover
	for _, o := range all {
		name := o.Name
		if !strings.HasPrefix(name, fmt.Sprintf("%s%d-", prefix, unix.Geteuid())) || o.UID != unix.Geteuid() {
			continue
		}
		if why, err := abandoned(name, func(*posixshm.Object) error { return nil }); err == nil && why != "" {
			left = append(left, exercise.Leftover{
				Name: "/dev/shm" + name, Why: why, Remove: func() error { return removeLeft(name) },
			})
		}
	}
	return left, nil
}

// abandoned says why a cache has no server, "" if it has one, and calls then while nobody
// can come to make it anew.
func abandoned(name string, then func(*posixshm.Object) error) (why string, err error) {
	object, err := posixshm.Open(name, unix.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer object.Close()
	if !lock(object) || !linked(object) {
		return "", nil
	}
	why = "it is no whole cache"
	if r, err := Open(name); err == nil {
		life, err := r.Life()
		_ = r.Close()
		switch {
		case err == nil && life == Alive:
			return "", nil
		case err == nil:
			why = fmt.Sprintf("its server, process %d, has ended", r.Server())
		}
	}
	return why, then(object)
}

// removeLeft looks again; a cache that is in use by now is no leftover.
func removeLeft(name string) error {
	why, err := abandoned(name, func(o *posixshm.Object) error {
		if err := retire(o); err != nil {
			return err
		}
		return posixshm.Unlink(name)
	})
	if err == nil && why == "" {
		err = fmt.Errorf("cache %s: in use again: %w", name, fs.ErrNotExist)
	}
	return err
}
