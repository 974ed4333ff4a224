package p08rwlock

import (
	"context"
	"errors"
	"fmt"
	"time"

	"unpipc/gobind/pthread"
)

// Locker is what [RWLock] and [Posix] have in common.
type Locker interface {
	RLock() error
	TryRLock() error
	RLockBy(deadline time.Time) error
	RLockFor(d time.Duration) error
	RLockContext(ctx context.Context) error
	RUnlock() error
	Lock() error
	TryLock() error
	LockBy(deadline time.Time) error
	LockFor(d time.Duration) error
	LockContext(ctx context.Context) error
	Unlock() error
	Destroy() error
}

var _, _ Locker = (*RWLock)(nil), Posix{}

// Posix is libc's own lock, which has one call to unlock whatever was locked.
type Posix struct{ *pthread.RWLock }

// RUnlock is Unlock.
func (l Posix) RUnlock() error { return l.Unlock() }

var errNoLock = errors.New("no such lock")

// benchLock makes a lock for this process.
func benchLock(name string) (Locker, error) {
	if name == "pthread" {
		l, err := pthread.NewRWLock(pthread.RWLockAttr{})
		return Posix{l}, err
	}
	policy, err := ParsePolicy(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", errNoLock, name)
	}
	return New(policy)
}
