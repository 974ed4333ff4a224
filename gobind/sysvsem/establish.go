package sysvsem

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// Establish is the set with the key, with one semaphore for each of the values: the one
// that is there, or a new one with these values and the mode. made tells which. No two
// callers make it, and nobody gets it before it has its values: see [Set.Initialized],
// which must also be what programs do that get the set by themselves, and whose caveat
// is this one's too. UNPv2 11.6 tells of the race.
// Errors: as of [Get]; a set that is there and has fewer semaphores is EINVAL.
func Establish(ctx context.Context, key Key, mode uint32, values ...int) (set *Set, made bool, err error) {
	for ctx.Err() == nil {
		set, err = Get(key, len(values), Create|Excl|int(mode&0o777))
		switch {
		case err == nil:
			if err = set.initialize(values); err == nil {
				return set, true, nil
			} else if !gone(err) {
				return nil, false, errors.Join(err, set.Remove())
			}
		case errors.Is(err, fs.ErrExist):
			if set, err = Get(key, len(values), 0); errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				return nil, false, err
			}
			if err = set.Initialized(ctx); err == nil {
				return set, false, nil
			} else if !gone(err) {
				return nil, false, err
			}
		default:
			return nil, false, err
		}
		// It was removed just now: the next one may be ours.
	}
	return nil, false, context.Cause(ctx)
}

// initialize gives the values, and then makes an operation that changes nothing: the
// first one's time, until which sem_otime is 0, tells everybody else.
func (s *Set) initialize(values []int) error {
	if err := s.SetValues(values...); err != nil {
		return err
	}
	up, down := Op{Add: 1}, Op{Add: -1}
	if values[0] > 0 {
		return s.Do(down, up)
	}
	return s.Do(up, down)
}

// Initialized waits until the maker of the set has given it values, which the time of
// the first operation tells (sem_otime). Nothing in the kernel could be slept on, so it
// looks again and again, more and more seldom. A maker that was killed before that time
// leaves a set that never gets there, and nothing tells this from a slow one: the
// context is to have a limit, and the set is then to be removed.
// Error: EIDRM or EINVAL if it is removed meanwhile.
func (s *Set) Initialized(ctx context.Context) error {
	for pause := 50 * time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		st, err := s.Stat()
		if err != nil || !st.Operated.IsZero() {
			return err
		}
		select {
		case <-ctx.Done():
			return &fs.PathError{Op: "wait for the values of", Path: s.name, Err: context.Cause(ctx)}
		case <-time.After(pause):
		}
	}
}

// gone says whether the set was removed.
func gone(err error) bool { return errors.Is(err, unix.EIDRM) || errors.Is(err, unix.EINVAL) }
