package reclock_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/reclock"
)

var owners = map[string]reclock.Owner{"process": reclock.Process, "description": reclock.Description}

// cName is the C program's name of a call for an owner.
func cName(o reclock.Owner, call string) string {
	if o == reclock.Description {
		return "o" + call
	}
	return call
}

func TestGoAndCExcludeEachOther(t *testing.T) {
	for _, mine := range owners {
		for _, theirs := range owners {
			t.Run(fmt.Sprint("owners ", mine, " and ", theirs), func(t *testing.T) {
				path, fd := newFile(t)
				c := inC(t)
				cfd := c.open(t, path)
				for _, kinds := range []struct {
					mine     reclock.Kind
					c        string
					conflict bool
				}{
					{reclock.Read, "r", false},
					{reclock.Read, "w", true},
					{reclock.Write, "r", true},
					{reclock.Write, "w", true},
				} {
					want := "0"
					if kinds.conflict {
						want = fmt.Sprintf("errno %d", int(unix.EAGAIN))
					}
					require.NoError(t, mine.TryLock(fd, kinds.mine, reclock.Bytes(10, 10)))
					assert.Equal(t, want, c.do("%s %s %s 0 19 1", cName(theirs, "try"), cfd, kinds.c), "Go holds a %s lock", kinds.mine)
					assert.Equal(t, "0", c.do("%s %s %s 0 20 1", cName(theirs, "try"), cfd, kinds.c), "the byte behind")
					require.NoError(t, mine.Unlock(fd, reclock.All))
					c.do("%s %s u 0 0 0", cName(theirs, "try"), cfd)

					require.Equal(t, "0", c.do("%s %s %s 0 10 10", cName(theirs, "try"), cfd, kinds.c))
					err := mine.TryLock(fd, kinds.mine, reclock.Bytes(0, 11))
					assert.Equal(t, want, ipctest.Outcome(err), "C holds %s", kinds.c)
					if kinds.conflict {
						isErrno(t, unix.EAGAIN, err)
					}
					require.NoError(t, mine.Unlock(fd, reclock.All))
					c.do("%s %s u 0 0 0", cName(theirs, "try"), cfd)
				}
			})
		}
	}
}

func TestQueryTellsWhoIsInTheWay(t *testing.T) {
	path, fd := newFile(t)
	c := inC(t)
	cfd := c.open(t, path)
	found, err := reclock.Process.Query(fd, reclock.Write, reclock.All)
	require.NoError(t, err)
	assert.Nil(t, found)

	require.Equal(t, "0", c.do("try %s r 0 5 7", cfd))
	found, err = reclock.Process.Query(fd, reclock.Write, reclock.All)
	require.NoError(t, err)
	assert.Equal(t, &reclock.Lock{Kind: reclock.Read, Range: reclock.Bytes(5, 7), PID: c.Process.Pid}, found)
	found, err = reclock.Process.Query(fd, reclock.Read, reclock.All)
	require.NoError(t, err)
	assert.Nil(t, found, "readers share")
	found, err = reclock.Description.Query(fd, reclock.Write, reclock.Bytes(11, 1))
	require.NoError(t, err)
	assert.Equal(t, c.Process.Pid, found.PID)

	require.Equal(t, "0", c.do("try %s u 0 0 0", cfd))
	require.Equal(t, "0", c.do("otry %s w 0 100 0", cfd))
	found, err = reclock.Process.Query(fd, reclock.Read, reclock.All)
	require.NoError(t, err)
	assert.Equal(t, &reclock.Lock{Kind: reclock.Write, Range: reclock.Bytes(100, 0), PID: -1}, found)

	require.NoError(t, reclock.Process.Lock(fd, reclock.Write, reclock.Bytes(1, 2)))
	assert.Equal(t, fmt.Sprintf("w 0 1 2 %d", os.Getpid()), c.do("get %s r 0 0 50", cfd))
	require.NoError(t, reclock.Process.Unlock(fd, reclock.All))
	require.NoError(t, reclock.Description.Lock(fd, reclock.Read, reclock.Bytes(1, 2)))
	assert.Equal(t, "r 0 1 2 -1", c.do("get %s w 0 0 50", cfd))
	assert.Equal(t, "u", c.do("get %s r 0 0 50", cfd))
}

func TestRangesAreAsInC(t *testing.T) {
	for name, c := range map[string]struct {
		r    reclock.Range
		want string // as another process finds it
	}{
		"from the beginning":                {reclock.Bytes(3, 4), "w 0 3 4"},
		"to the end and beyond":             {reclock.Bytes(3, 0), "w 0 3 0"},
		"everything":                        {reclock.All, "w 0 0 0"},
		"from the file's position":          {reclock.Range{Start: 1, Length: 2, Whence: io.SeekCurrent}, "w 0 41 2"},
		"before the file's position":        {reclock.Range{Start: -5, Length: 2, Whence: io.SeekCurrent}, "w 0 35 2"},
		"from the end":                      {reclock.Range{Start: 0, Length: 1, Whence: io.SeekEnd}, "w 0 100 1"},
		"the last ten bytes and the future": {reclock.Range{Start: -10, Length: 0, Whence: io.SeekEnd}, "w 0 90 0"},
		"the bytes before":                  {reclock.Bytes(10, -4), "w 0 6 4"},
		"the last byte there can be":        {reclock.Bytes(math.MaxInt64, 1), fmt.Sprintf("w 0 %d 0", math.MaxInt64)},
		"beyond the end of the file":        {reclock.Bytes(1<<40, 1), fmt.Sprintf("w 0 %d 1", 1<<40)},
	} {
		for owner, o := range owners {
			t.Run(name+", of a "+owner, func(t *testing.T) {
				path, fd := newFile(t)
				require.NoError(t, unix.Ftruncate(fd, 100))
				_, err := unix.Seek(fd, 40, io.SeekStart)
				require.NoError(t, err)
				judge := inC(t)
				require.NoError(t, o.Lock(fd, reclock.Write, c.r))
				pid := os.Getpid()
				if o == reclock.Description {
					pid = -1
				}
				cfd := judge.open(t, path)
				assert.Equal(t, fmt.Sprintf("%s %d", c.want, pid), judge.do("get %s w 0 0 0", cfd))
				require.NoError(t, o.Unlock(fd, c.r))
				assert.Equal(t, "u", judge.do("get %s w 0 0 0", cfd))
			})
		}
	}
}

func TestWhatTheKernelRefusesInC(t *testing.T) {
	path, fd := newFile(t)
	require.NoError(t, unix.Ftruncate(fd, 1))
	readOnly, writeOnly := openFile(t, path, unix.O_RDONLY), openFile(t, path, unix.O_WRONLY)
	c := inC(t)
	cfd := c.open(t, path)
	for _, r := range []reclock.Range{
		reclock.Bytes(-1, 1), reclock.Bytes(0, -1), reclock.Bytes(10, -11), reclock.Bytes(math.MaxInt64, 2),
		reclock.Bytes(math.MinInt64, 0), {Start: 0, Length: 1, Whence: 3}, {Start: 0, Length: 1, Whence: -1},
		{Start: math.MaxInt64, Length: 1, Whence: io.SeekEnd},
	} {
		for _, o := range owners {
			err := o.TryLock(fd, reclock.Write, r)
			assert.Equal(t, c.do("%s %s w %d %d %d", cName(o, "try"), cfd, r.Whence, r.Start, r.Length), ipctest.Outcome(err), "%+v", r)
			_, err = o.Query(fd, reclock.Write, r)
			assert.Equal(t, c.do("%s %s w %d %d %d", cName(o, "get"), cfd, r.Whence, r.Start, r.Length), map[bool]string{true: "u", false: ipctest.Outcome(err)}[err == nil], "%+v", r)
		}
	}
	for _, o := range owners {
		isErrno(t, unix.EBADF, o.TryLock(readOnly, reclock.Write, reclock.All))
		isErrno(t, unix.EBADF, o.Lock(writeOnly, reclock.Read, reclock.All))
		isErrno(t, unix.EBADF, o.Unlock(-1, reclock.All))
		isErrno(t, unix.EINVAL, o.TryLock(fd, reclock.Kind(99), reclock.All))
		isErrno(t, unix.EINVAL, o.TryLock(fd, reclock.Write, reclock.Range{Whence: 1 << 16}))
		assert.NoError(t, o.TryLock(readOnly, reclock.Read, reclock.All))
		assert.NoError(t, o.Unlock(readOnly, reclock.All))
	}
}

func TestLocksJoinAndSplit(t *testing.T) {
	_, fd := newFile(t)
	for _, o := range owners {
		require.NoError(t, o.Lock(fd, reclock.Write, reclock.Bytes(0, 5)))
		require.NoError(t, o.Lock(fd, reclock.Write, reclock.Bytes(5, 5)))
		assert.Equal(t, []reclock.Range{reclock.Bytes(0, 10)}, ranges(t, fd))
		require.NoError(t, o.Lock(fd, reclock.Read, reclock.Bytes(3, 2)))
		assert.ElementsMatch(t, []reclock.Range{reclock.Bytes(0, 3), reclock.Bytes(3, 2), reclock.Bytes(5, 5)}, ranges(t, fd))
		require.NoError(t, o.Unlock(fd, reclock.Bytes(1, 1)))
		require.NoError(t, o.Unlock(fd, reclock.Bytes(3, 3)))
		assert.ElementsMatch(t, []reclock.Range{reclock.Bytes(0, 1), reclock.Bytes(2, 1), reclock.Bytes(6, 4)}, ranges(t, fd))
		require.NoError(t, o.Unlock(fd, reclock.All))
		assert.Empty(t, ranges(t, fd))
	}
}

func ranges(t *testing.T, fd int) (r []reclock.Range) {
	t.Helper()
	held, err := reclock.List(fd)
	require.NoError(t, err)
	for _, h := range held {
		r = append(r, h.Range)
	}
	return r
}

func TestAWaiterGetsTheLockWhenItIsFree(t *testing.T) {
	for name, o := range owners {
		for _, release := range []string{"unlocks", "closes", "is killed"} {
			t.Run("when C "+release+", "+name, func(t *testing.T) {
				path, fd := newFile(t)
				c := inC(t)
				cfd := c.open(t, path)
				require.Equal(t, "0", c.do("%s %s w 0 0 0", cName(o, "try"), cfd))
				got := make(chan error, 1)
				go func() { got <- o.Lock(fd, reclock.Write, reclock.Bytes(7, 1)) }()
				waiters(t, fd, 1)
				assert.Empty(t, got)
				switch release {
				case "unlocks":
					require.Equal(t, "0", c.do("%s %s u 0 0 0", cName(o, "try"), cfd))
				case "closes":
					require.Equal(t, "0", c.do("close %s", cfd))
				default:
					c.Kill()
				}
				require.NoError(t, <-got)
			})
		}
		t.Run("when Go unlocks, "+name, func(t *testing.T) {
			path, fd := newFile(t)
			c := inC(t)
			cfd := c.open(t, path)
			require.NoError(t, o.Lock(fd, reclock.Write, reclock.Bytes(7, 1)))
			c.Tell("%s %s w 0 0 0", cName(o, "wait"), cfd)
			waiters(t, fd, 1)
			require.NoError(t, o.Unlock(fd, reclock.All))
			assert.Equal(t, "0", c.Line())
		})
	}
}

func TestAContextEndsTheWaitAndNothingIsLocked(t *testing.T) {
	why := errors.New("no more patience")
	for name, o := range owners {
		t.Run(name, func(t *testing.T) {
			path, fd := newFile(t)
			c := inC(t)
			cfd := c.open(t, path)
			require.Equal(t, "0", c.do("try %s w 0 0 1", cfd))
			for range 20 {
				ctx, cancel := context.WithCancelCause(t.Context())
				got := make(chan error, 1)
				go func() { got <- o.LockContext(ctx, fd, reclock.Write, reclock.Bytes(0, 1)) }()
				waiters(t, fd, 1)
				cancel(why)
				require.Equal(t, why, <-got)
			}
			ended, cancel := context.WithCancelCause(t.Context())
			cancel(why)
			assert.Equal(t, why, o.LockContext(ended, fd, reclock.Write, reclock.Bytes(9, 1)), "free, but too late")
			assert.Len(t, ranges(t, fd), 1)
			require.Equal(t, "0", c.do("try %s u 0 0 1", cfd))
			assert.NoError(t, o.LockContext(t.Context(), fd, reclock.Write, reclock.Bytes(0, 1)))
		})
	}
}

func TestADeadlockIsRefusedToTheOneWhoWouldCloseTheCycle(t *testing.T) {
	path, fd := newFile(t)
	c := inC(t)
	cfd := c.open(t, path)
	deadlock := fmt.Sprintf("errno %d", int(unix.EDEADLK))

	require.NoError(t, reclock.Process.Lock(fd, reclock.Write, reclock.Bytes(0, 1)))
	require.Equal(t, "0", c.do("try %s w 0 1 1", cfd))
	c.Tell("wait %s w 0 0 1", cfd)
	waiters(t, fd, 1)
	isErrno(t, unix.EDEADLK, reclock.Process.Lock(fd, reclock.Write, reclock.Bytes(1, 1)))
	require.NoError(t, reclock.Process.Unlock(fd, reclock.Bytes(0, 1)))
	require.Equal(t, "0", c.Line())
	require.Equal(t, "0", c.do("try %s u 0 0 1", cfd))

	require.NoError(t, reclock.Process.Lock(fd, reclock.Write, reclock.Bytes(0, 1)))
	got := make(chan error, 1)
	go func() { got <- reclock.Process.LockContext(t.Context(), fd, reclock.Write, reclock.Bytes(1, 1)) }()
	waiters(t, fd, 1)
	assert.Equal(t, deadlock, c.do("wait %s w 0 0 1", cfd))
	require.Equal(t, "0", c.do("try %s u 0 0 0", cfd))
	require.NoError(t, <-got)
}

func TestADeadlockOfDescriptionsHangs(t *testing.T) {
	path, fd := newFile(t)
	c := inC(t)
	cfd := c.open(t, path)
	require.NoError(t, reclock.Description.Lock(fd, reclock.Write, reclock.Bytes(0, 1)))
	require.Equal(t, "0", c.do("otry %s w 0 1 1", cfd))
	c.Tell("owait %s w 0 0 1", cfd)
	waiters(t, fd, 1)
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan error, 1)
	go func() { got <- reclock.Description.LockContext(ctx, fd, reclock.Write, reclock.Bytes(1, 1)) }()
	waiters(t, fd, 2) // both wait, and nobody is told
	cancel()
	require.Equal(t, context.Canceled, <-got)
	require.NoError(t, reclock.Description.Unlock(fd, reclock.All))
	require.Equal(t, "0", c.Line())
}
