package reclock_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/reclock"
)

func openTable(t *testing.T, path string) *reclock.Table {
	t.Helper()
	table, err := reclock.OpenTable(path, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, table.Close()) })
	return table
}

func newTable(t *testing.T) (string, *reclock.Table) {
	t.Helper()
	path := filepath.Join(newFolder(t), "lock")
	return path, openTable(t, path)
}

func TestGoroutinesExcludeEachOther(t *testing.T) {
	_, table := newTable(t)
	const goroutines, rounds, bytes = 20, 198, 3
	var writers, readers [bytes]atomic.Int32
	var counts [bytes]int // guarded by the locks under test
	var running sync.WaitGroup
	for g := range goroutines {
		running.Go(func() {
			for i := range rounds {
				b := (g + i) % bytes
				l, err := table.Lock(t.Context(), reclock.Write, int64(b))
				if !assert.NoError(t, err) {
					return
				}
				assert.EqualValues(t, 1, writers[b].Add(1))
				assert.Zero(t, readers[b].Load())
				counts[b]++
				writers[b].Add(-1)
				assert.NoError(t, l.Unlock())

				l, err = table.Lock(t.Context(), reclock.Read, int64(b))
				if !assert.NoError(t, err) {
					return
				}
				readers[b].Add(1)
				assert.Zero(t, writers[b].Load())
				_ = counts[b]
				readers[b].Add(-1)
				assert.NoError(t, l.Unlock())
			}
		})
	}
	running.Wait()
	for b := range counts {
		assert.Equal(t, goroutines*rounds/bytes, counts[b])
	}
	assert.Empty(t, ranges(t, table.Fd()), "nothing stays locked")
}

func TestAProcessIsOneOwnerForOthers(t *testing.T) {
	path, table := newTable(t)
	c := inC(t)
	cfd := c.open(t, path)
	first, err := table.Lock(t.Context(), reclock.Read, 5)
	require.NoError(t, err)
	second, err := table.Lock(t.Context(), reclock.Read, 5)
	require.NoError(t, err)
	assert.Equal(t, []reclock.Range{reclock.Bytes(5, 1)}, ranges(t, table.Fd()))
	require.NoError(t, first.Unlock())
	assert.NotEqual(t, "0", c.do("try %s w 0 5 1", cfd), "one goroutine still reads")
	require.NoError(t, second.Unlock())
	require.Equal(t, "0", c.do("try %s w 0 5 1", cfd))

	_, err = table.TryLock(reclock.Read, 5)
	isErrno(t, unix.EAGAIN, err)
	got := make(chan error, 1)
	go func() {
		l, err := table.Lock(t.Context(), reclock.Write, 5)
		if err == nil {
			err = l.Unlock()
		}
		got <- err
	}()
	waiters(t, table.Fd(), 1)
	_, err = table.TryLock(reclock.Write, 5)
	isErrno(t, unix.EAGAIN, err)
	require.Equal(t, "0", c.do("try %s u 0 5 1", cfd))
	require.NoError(t, <-got)
}

// Of two hundred goroutines that want what another process holds, one waits in the
// kernel, and the others cost no thread.
func TestOnlyOneGoroutineWaitsInTheKernel(t *testing.T) {
	path, table := newTable(t)
	c := inC(t)
	cfd := c.open(t, path)
	require.Equal(t, "0", c.do("try %s w 0 0 1", cfd))
	var running sync.WaitGroup
	var holding atomic.Int32
	for range 200 {
		running.Go(func() {
			l, err := table.Lock(t.Context(), reclock.Write, 0)
			if !assert.NoError(t, err) {
				return
			}
			assert.EqualValues(t, 1, holding.Add(1))
			holding.Add(-1)
			assert.NoError(t, l.Unlock())
		})
	}
	waiters(t, table.Fd(), 1)
	tasks, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	assert.Less(t, len(tasks), 100)
	require.Equal(t, "0", c.do("try %s u 0 0 1", cfd))
	running.Wait()
}

func TestOneFileHasOneTableInAProcess(t *testing.T) {
	path, table := newTable(t)
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(path, link))
	again, err := reclock.OpenTable(link, 0o600)
	require.NoError(t, err)
	assert.Same(t, table, again)
	l, err := table.Lock(t.Context(), reclock.Write, 1)
	require.NoError(t, err)
	require.NoError(t, again.Close())
	assert.Len(t, ranges(t, table.Fd()), 1, "closing one of two drops nothing")
	require.NoError(t, l.Unlock())

	// Another file of that name is another Table.
	require.NoError(t, os.Rename(path, path+".old"))
	other := openTable(t, path)
	assert.NotSame(t, table, other)
	l, err = table.Lock(t.Context(), reclock.Write, 1)
	require.NoError(t, err)
	second, err := other.TryLock(reclock.Write, 1)
	require.NoError(t, err)
	require.NoError(t, second.Unlock())
	require.NoError(t, l.Unlock())
}

func TestSeveralBytesAreLockedInAscendingOrderOrNotAtAll(t *testing.T) {
	path, table := newTable(t)
	c := inC(t)
	cfd := c.open(t, path)
	l, err := table.Lock(t.Context(), reclock.Write, 9, 3, 9, 4)
	require.NoError(t, err)
	assert.ElementsMatch(t, []reclock.Range{reclock.Bytes(3, 2), reclock.Bytes(9, 1)}, ranges(t, table.Fd()))
	require.NoError(t, l.Unlock())
	assert.Empty(t, ranges(t, table.Fd()))

	require.Equal(t, "0", c.do("try %s w 0 4 1", cfd))
	_, err = table.TryLock(reclock.Write, 9, 3, 4)
	isErrno(t, unix.EAGAIN, err)
	assert.Len(t, ranges(t, table.Fd()), 1, "only that of C is there")
	why := errors.New("no more patience")
	ctx, cancel := context.WithCancelCause(t.Context())
	got := make(chan error, 1)
	go func() { _, err := table.Lock(ctx, reclock.Write, 9, 4, 3); got <- err }()
	waiters(t, table.Fd(), 1)
	cancel(why)
	assert.Equal(t, why, <-got)
	assert.Len(t, ranges(t, table.Fd()), 1)
	require.Equal(t, "0", c.do("try %s u 0 0 0", cfd))
}

func TestADeadlockBetweenProcessesIsReported(t *testing.T) {
	path, table := newTable(t)
	c := inC(t)
	cfd := c.open(t, path)
	require.Equal(t, "0", c.do("try %s w 0 1 1", cfd))
	l, err := table.Lock(t.Context(), reclock.Write, 0)
	require.NoError(t, err)
	c.Tell("wait %s w 0 0 1", cfd)
	waiters(t, table.Fd(), 1)
	_, err = table.Lock(t.Context(), reclock.Write, 1)
	isErrno(t, unix.EDEADLK, err)
	require.NoError(t, l.Unlock())
	require.Equal(t, "0", c.Line())
}

func TestContextsEndWaitsForGoroutinesToo(t *testing.T) {
	_, table := newTable(t)
	l, err := table.Lock(t.Context(), reclock.Read, 0)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = table.Lock(ctx, reclock.Write, 0)
	assert.Equal(t, context.DeadlineExceeded, err)
	_, err = table.Lock(ctx, reclock.Read, 0)
	assert.Equal(t, context.DeadlineExceeded, err)
	second, err := table.Lock(t.Context(), reclock.Read, 0)
	require.NoError(t, err, "the writer that gave up is in nobody's way")
	require.NoError(t, second.Unlock())
	require.NoError(t, l.Unlock())
	assert.NoError(t, l.Unlock(), "there is nothing left to unlock")
	assert.Empty(t, ranges(t, table.Fd()))
}

// Contexts end at random moments while goroutines and another process lock: no lock may
// be lost, kept, or held twice.
func TestNothingIsLostByEndingContexts(t *testing.T) {
	path, table := newTable(t)
	c := inC(t)
	cfd := c.open(t, path)
	var holding, gaveUp atomic.Int32
	stop := make(chan struct{})
	var other, running sync.WaitGroup
	other.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				c.do("wait %s w 0 0 1", cfd)
				c.do("try %s u 0 0 1", cfd)
			}
		}
	})
	for range 10 {
		running.Go(func() {
			for range 100 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.N(300))*time.Microsecond)
				l, err := table.Lock(ctx, reclock.Write, 0)
				cancel()
				if err != nil {
					assert.Equal(t, context.DeadlineExceeded, err)
					gaveUp.Add(1)
					continue
				}
				assert.EqualValues(t, 1, holding.Add(1))
				holding.Add(-1)
				assert.NoError(t, l.Unlock())
			}
		})
	}
	running.Wait()
	close(stop)
	other.Wait()
	l, err := table.Lock(t.Context(), reclock.Write, 0)
	require.NoError(t, err)
	require.NoError(t, l.Unlock())
	assert.Empty(t, ranges(t, table.Fd()))
	t.Logf("%d of 1000 gave up", gaveUp.Load())
}

func TestAKilledProcessGivesItsBytesToTheNextOne(t *testing.T) {
	path, table := newTable(t)
	holder := ipctest.Start(t, ipctest.Command(t, "hold", path))
	require.Equal(t, "locked", holder.Line())
	_, err := table.TryLock(reclock.Read, 7)
	isErrno(t, unix.EAGAIN, err)
	got := make(chan error, 1)
	go func() {
		l, err := table.Lock(t.Context(), reclock.Write, 7)
		if err == nil {
			err = l.Unlock()
		}
		got <- err
	}()
	waiters(t, table.Fd(), 1)
	holder.Kill()
	require.NoError(t, <-got)
}

var _ = ipctest.Role("hold", func(args []string) int {
	table, err := reclock.OpenTable(args[0], 0o600)
	if err != nil {
		return 10
	}
	if _, err := table.Lock(context.Background(), reclock.Write, 7); err != nil {
		return 11
	}
	os.Stdout.WriteString("locked\n")
	_, _ = os.Stdin.Read(make([]byte, 1))
	return 0
})

func TestAFileThatMayNotBeWrittenIsLockedForReadingOnly(t *testing.T) {
	path, _ := newFile(t)
	require.NoError(t, os.Chmod(path, 0o400))
	cmd := ipctest.Command(t, "lock read-only", path)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))

	_, err = reclock.OpenTable(filepath.Join(t.TempDir(), "no", "such"), 0o600)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	path = filepath.Join(t.TempDir(), "new")
	openTable(t, path)
	st, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), st.Mode())
}

var _ = ipctest.Role("lock read-only", func(args []string) int {
	// Root may write every file, by a capability that each thread has for itself.
	runtime.LockOSThread()
	if os.Geteuid() == 0 && ipctest.Drop(unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH) != nil {
		return 10
	}
	table, err := reclock.OpenTable(args[0], 0o600)
	if err != nil {
		return 11
	}
	if _, err := table.Lock(context.Background(), reclock.Read, 1); err != nil {
		return 12
	}
	if _, err := table.Lock(context.Background(), reclock.Write, 2); !errors.Is(err, unix.EBADF) {
		return 13
	}
	return 0
})
