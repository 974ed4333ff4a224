package l10semaphore

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/mmap"
	"unpipc/gobind/sysvshm"
	"unpipc/projects/internal/lecture/lecturetest"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "lectures/l10semaphore") }

func newSemaphore(t *testing.T, units int) *Semaphore {
	t.Helper()
	memory, err := mmap.Map(-1, 0, Size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, mmap.Unmap(memory)) })
	s, err := Make(memory, units)
	require.NoError(t, err)
	return s
}

// futexPrivate is in the operation of a sleep that other processes cannot end.
const futexPrivate = 128

func TestGetWaitsForPut(t *testing.T) {
	s := newSemaphore(t, 2)
	require.NoError(t, s.Get(t.Context()))
	require.NoError(t, s.Get(t.Context()))
	var got atomic.Bool
	done := make(chan error)
	go func() {
		err := s.Get(context.Background())
		got.Store(true)
		done <- err
	}()
	ipctest.Asleep(t, unix.SYS_FUTEX, 1, func(args [6]uintptr) bool { return args[1]&futexPrivate == 0 })
	assert.False(t, got.Load())
	require.NoError(t, s.Put())
	require.NoError(t, <-done)
	n, err := s.Value()
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestTheEndOfAContextTakesNothing(t *testing.T) {
	s := newSemaphore(t, 0)
	why := errors.New("given up")
	ctx, end := context.WithCancelCause(t.Context())
	done := make(chan error)
	go func() { done <- s.Get(ctx) }()
	end(why)
	require.ErrorIs(t, <-done, why)
	require.NoError(t, s.Put())
	require.NoError(t, s.Get(t.Context()))
}

func TestVerifyFindsWhatIsWrong(t *testing.T) {
	s := newSemaphore(t, 3)
	require.NoError(t, s.Contend(t.Context(), 4, 100))
	most, err := s.Verify(t.Context())
	require.NoError(t, err)
	assert.LessOrEqual(t, most, 3)

	s.Most = 4
	_, err = s.Verify(t.Context())
	require.ErrorIs(t, err, ErrFailed, "one too many had it")
	s.Most = 3
	require.NoError(t, s.Put())
	_, err = s.Verify(t.Context())
	require.ErrorIs(t, err, ErrFailed, "a unit was put that nobody had got")
}

func TestThreadsInGoAndCShareOne(t *testing.T) {
	for maker, other := range lecturetest.Pairs(t, "lectures/l10semaphore", "semaphore") {
		key := sysvshm.Key(ipctest.Key())
		m := ipctest.Start(t, exec.Command(maker, "--key", key.String(), "--value", "3", "--outside", "1"))
		require.Equal(t, "10 threads, semaphore of 3", m.Line())
		joined := ipctest.Output(t, other, "--join", "--key", key.String())
		assert.Equal(t, "10 threads, semaphore of another process\n", joined)
		last := m.Rest()
		require.Len(t, last, 1)
		assert.Regexp(t, `^at most [1-3] had it at once, and 3 can be had again\. PASS$`, last[0])
	}
}

func object() *lecturetest.Object {
	return lecturetest.Segment("lectures/l10semaphore", "semaphore", Exercise.Leftovers, "--outside", "1")
}

func TestWhatAKilledOneLeavesIsFound(t *testing.T) { object().IsFound(t) }

func TestOneOfManyTestsTakesOverWhatAKilledOneLeft(t *testing.T) {
	object().IsTakenOverByOne(t)
}
