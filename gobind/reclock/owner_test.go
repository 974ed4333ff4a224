package reclock_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/reclock"
)

func TestClosingAnyDescriptorOfTheFileDropsTheLocksOfTheProcess(t *testing.T) {
	path, fd := newFile(t)
	require.NoError(t, reclock.Process.Lock(fd, reclock.Write, reclock.All))
	_, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Empty(t, ranges(t, fd), "os.ReadFile has closed a descriptor of the file")

	duplicate, err := unix.Dup(fd)
	require.NoError(t, err)
	require.NoError(t, reclock.Process.Lock(fd, reclock.Write, reclock.All))
	require.NoError(t, unix.Close(duplicate))
	assert.Empty(t, ranges(t, fd))

	c := inC(t)
	first, second := c.open(t, path), c.open(t, path)
	require.Equal(t, "0", c.do("try %s w 0 0 0", first))
	require.Len(t, ranges(t, fd), 1)
	require.Equal(t, "0", c.do("close %s", second))
	assert.Empty(t, ranges(t, fd), "C is no better off")
}

func TestLocksOfADescriptionStayUntilItsLastDescriptorIsClosed(t *testing.T) {
	path, fd := newFile(t)
	other := openFile(t, path, unix.O_RDWR)
	require.NoError(t, reclock.Description.Lock(fd, reclock.Write, reclock.All))
	_, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Len(t, ranges(t, other), 1)
	isErrno(t, unix.EAGAIN, reclock.Description.TryLock(other, reclock.Read, reclock.All))

	duplicate, err := unix.Dup(fd)
	require.NoError(t, err)
	require.NoError(t, unix.Close(fd))
	assert.Len(t, ranges(t, other), 1)
	require.NoError(t, unix.Close(duplicate))
	assert.Empty(t, ranges(t, other))
}

func TestTheTwoKindsOfOwnerConflictInOneProcess(t *testing.T) {
	path, fd := newFile(t)
	require.NoError(t, reclock.Process.Lock(fd, reclock.Write, reclock.All))
	isErrno(t, unix.EAGAIN, reclock.Description.TryLock(fd, reclock.Read, reclock.All))
	other := openFile(t, path, unix.O_RDWR)
	assert.NoError(t, reclock.Process.TryLock(other, reclock.Write, reclock.All), "a process does not exclude itself")
}

func TestForkGivesNoLocksOfTheProcessAndSharesThoseOfTheDescription(t *testing.T) {
	path, fd := newFile(t)
	c := inC(t)
	cfd := c.open(t, path)
	eagain := "errno " + strconv.Itoa(int(unix.EAGAIN))
	require.Equal(t, "0", c.do("try %s w 0 0 1", cfd))
	assert.Equal(t, eagain, c.do("child try %s w 0 0 1", cfd), "the child is another owner")
	require.Equal(t, "0", c.do("child try %s u 0 0 1", cfd))
	assert.Len(t, ranges(t, fd), 1, "and cannot unlock it")
	require.Equal(t, "0", c.do("try %s u 0 0 1", cfd))

	require.Equal(t, "0", c.do("otry %s w 0 0 1", cfd))
	assert.Equal(t, "0", c.do("child otry %s w 0 0 1", cfd), "the child has it, too")
	assert.Len(t, ranges(t, fd), 1, "and its end does not drop it")
	require.Equal(t, "0", c.do("child otry %s u 0 0 1", cfd))
	assert.Empty(t, ranges(t, fd), "but its unlocking does")
}

func TestExecKeepsLocks(t *testing.T) {
	path, fd := newFile(t)
	c := inC(t)
	cfd := c.open(t, path)
	require.Equal(t, "0", c.do("try %s w 0 0 1", cfd))
	require.Equal(t, "0", c.do("otry %s w 0 9 1", cfd))
	require.Equal(t, "exec", c.do("exec"))
	assert.ElementsMatch(t, []reclock.Range{reclock.Bytes(0, 1), reclock.Bytes(9, 1)}, ranges(t, fd))
	isErrno(t, unix.EAGAIN, reclock.Process.TryLock(fd, reclock.Write, reclock.Bytes(0, 1)))
}

func TestAProgramStartedFromGoHasNoLocks(t *testing.T) {
	path, fd := newFile(t)
	require.NoError(t, reclock.Process.Lock(fd, reclock.Write, reclock.Bytes(0, 1)))
	c := inC(t)
	cfd := c.open(t, path)
	assert.Equal(t, "errno "+strconv.Itoa(int(unix.EAGAIN)), c.do("try %s w 0 0 1", cfd))
	c.Kill()
	assert.Len(t, ranges(t, fd), 1, "its closing the file is not ours")
}

func TestAReaderPassesAWaitingWriter(t *testing.T) {
	path, fd := newFile(t)
	writer, reader := inC(t), inC(t)
	wfd, rfd := writer.open(t, path), reader.open(t, path)
	require.NoError(t, reclock.Process.Lock(fd, reclock.Read, reclock.All))
	writer.Tell("wait %s w 0 0 1", wfd)
	waiters(t, fd, 1)
	assert.Equal(t, "0", reader.do("try %s r 0 0 1", rfd))
	require.NoError(t, reclock.Process.Unlock(fd, reclock.All))
	require.Equal(t, "0", reader.do("try %s u 0 0 1", rfd))
	assert.Equal(t, "0", writer.Line())
}

// flock(1) and its locks are another matter on a local file system.
func TestLocksOfFlockAreOthers(t *testing.T) {
	flock, err := exec.LookPath("flock")
	ipctest.Require(t, err == nil, "flock(1)")
	path, fd := newFile(t)
	require.NoError(t, reclock.Process.Lock(fd, reclock.Write, reclock.All))
	out, err := exec.Command(flock, "--nonblock", path, "echo", "locked").CombinedOutput()
	assert.NoError(t, err)
	assert.Equal(t, "locked\n", string(out))
}

func TestListIsWhatLslocksShows(t *testing.T) {
	path, fd := newFile(t)
	c := inC(t)
	cfd := c.open(t, path)
	require.NoError(t, reclock.Process.Lock(fd, reclock.Write, reclock.Bytes(10, 20)))
	require.Equal(t, "0", c.do("otry %s r 0 100 0", cfd))
	c.Tell("wait %s r 0 15 1", cfd)
	waiters(t, fd, 1)
	held, err := reclock.List(fd)
	require.NoError(t, err)
	assert.ElementsMatch(t, []reclock.Held{
		{Lock: reclock.Lock{Kind: reclock.Write, Range: reclock.Bytes(10, 20), PID: os.Getpid()}},
		{Lock: reclock.Lock{Kind: reclock.Read, Range: reclock.Bytes(15, 1), PID: c.Process.Pid}, Waiting: true},
		{Lock: reclock.Lock{Kind: reclock.Read, Range: reclock.Bytes(100, 0), PID: -1}, Owner: reclock.Description},
	}, held)

	lslocks, err := exec.LookPath("lslocks")
	ipctest.Require(t, err == nil, "lslocks(1)")
	out, err := exec.Command(lslocks, "--noheadings", "--raw", "--output", "PID,TYPE,MODE,START,END",
		"--pid", strconv.Itoa(os.Getpid())).CombinedOutput()
	require.NoError(t, err)
	assert.Contains(t, string(out), strconv.Itoa(os.Getpid())+" POSIX WRITE 10 29\n")

	other, ofd := newFile(t)
	require.NotEqual(t, filepath.Dir(path), filepath.Dir(other))
	assert.Empty(t, ranges(t, ofd), "another file's are not in it")
	_, err = reclock.List(-1)
	assert.ErrorIs(t, err, unix.EBADF)
}
