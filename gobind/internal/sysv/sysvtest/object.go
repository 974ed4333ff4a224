// Package sysvtest is what tests of the three kinds of System V IPC share.
package sysvtest

import (
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
)

// Object is a queue, a set or a segment.
type Object[Stat any] interface {
	ID() int
	Stat() (Stat, error)
	Set(Stat) error
	Remove() error
}

// RemoveLater removes an object at the end of the test, unless it is gone then.
func RemoveLater(t testing.TB, object interface{ Remove() error }) {
	t.Cleanup(func() {
		if err := object.Remove(); err != nil {
			assert.Contains(t, []syscall.Errno{unix.EINVAL, unix.EIDRM}, ipctest.Errno(err))
		}
	})
}

// State is the state of an object, which must have one.
func State[Stat any](t testing.TB, object Object[Stat]) Stat {
	t.Helper()
	s, err := object.Stat()
	require.NoError(t, err)
	return s
}

// AssertOneIsMade has many call get, which makes an object where there is none, at once, and
// asserts that all get the same one.
func AssertOneIsMade[O Object[Stat], Stat any](t *testing.T, get func() (O, error)) {
	t.Helper()
	var getting sync.WaitGroup
	got := make([]O, 20)
	for i := range got {
		getting.Go(func() {
			var err error
			got[i], err = get()
			assert.NoError(t, err)
		})
	}
	getting.Wait()
	require.False(t, t.Failed())
	RemoveLater(t, got[0])
	for _, object := range got {
		assert.Equal(t, got[0].ID(), object.ID())
	}
}
