package unixsock_test

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/unixsock"
)

func TestADescriptorArrivesAsTheSameOpenFile(t *testing.T) {
	for _, kind := range []unixsock.Kind{unixsock.Stream, unixsock.SeqPacket} {
		a, b := pair(t, kind)
		file, err := os.CreateTemp(t.TempDir(), "")
		require.NoError(t, err)
		n, err := a.SendRights([]byte("take it"), int(file.Fd()))
		require.NoError(t, err)
		assert.Equal(t, 7, n)
		_, err = file.WriteString("written before it was received")
		require.NoError(t, err)
		require.NoError(t, file.Close())

		buf := make([]byte, 100)
		n, fds, err := b.ReceiveRights(buf, 1)
		require.NoError(t, err)
		assert.Equal(t, "take it", string(buf[:n]))
		require.Len(t, fds, 1)
		flags, err := unix.FcntlInt(uintptr(fds[0]), unix.F_GETFD, 0)
		require.NoError(t, err)
		assert.Equal(t, unix.FD_CLOEXEC, flags)
		got := os.NewFile(uintptr(fds[0]), "received")
		at, err := got.Seek(0, io.SeekCurrent)
		require.NoError(t, err)
		assert.EqualValues(t, 30, at, "the offset is shared")
		require.NoError(t, got.Close())
	}
}

func TestSeveralDescriptorsArriveInOrderAndNoneIsNoError(t *testing.T) {
	a, b := pair(t, unixsock.SeqPacket)
	var sent []int
	for range 5 {
		fd, err := unix.MemfdCreate("sent", unix.MFD_CLOEXEC)
		require.NoError(t, err)
		defer unix.Close(fd)
		_, err = unix.Write(fd, make([]byte, len(sent)))
		require.NoError(t, err)
		sent = append(sent, fd)
	}
	buf := make([]byte, 10)
	for _, count := range []int{5, 0, 1} {
		_, err := a.SendRights([]byte("x"), sent[:count]...)
		require.NoError(t, err)
		_, fds, err := b.ReceiveRights(buf, 5)
		require.NoError(t, err)
		assert.Len(t, fds, count)
		for i, fd := range fds {
			var st unix.Stat_t
			require.NoError(t, unix.Fstat(fd, &st))
			assert.EqualValues(t, i, st.Size)
			require.NoError(t, unix.Close(fd))
		}
	}
	require.NoError(t, a.Close())
	_, _, err := b.ReceiveRights(buf, 5)
	assert.Equal(t, io.EOF, err)
}

func TestDescriptorsThatDoNotFitAreToldAndNoneIsLeftOpen(t *testing.T) {
	a, b := pair(t, unixsock.SeqPacket)
	count := func() int {
		fds, err := filepath.Glob("/proc/self/fd/*")
		require.NoError(t, err)
		return len(fds)
	}
	before := count()
	buf := make([]byte, 10)
	for _, room := range []int{0, 1, 2} {
		_, err := a.SendRights([]byte("three"), 0, 1, 2)
		require.NoError(t, err)
		n, fds, err := b.ReceiveRights(buf, room)
		assert.ErrorIs(t, err, unixsock.ErrRightsLost)
		assert.Equal(t, 5, n)
		assert.Empty(t, fds)
	}
	assert.Equal(t, before, count())
}

func TestWhatCannotBeSentIsAnError(t *testing.T) {
	a, b := pair(t, unixsock.SeqPacket)
	for name, test := range map[string]struct {
		text string
		fds  []int
		want error
	}{
		"no bytes":               {"", []int{0}, unix.EINVAL},
		"a closed descriptor":    {"x", []int{1 << 20}, unix.EBADF},
		"too many descriptors":   {"x", make([]int, 254), unix.EINVAL},
		"too many, and no bytes": {"", make([]int, 254), unix.EINVAL},
	} {
		_, err := a.SendRights([]byte(test.text), test.fds...)
		assert.ErrorIs(t, err, test.want, name)
	}
	require.NoError(t, b.Close())
	_, err := a.SendRights([]byte("x"))
	assert.ErrorIs(t, err, unix.EPIPE)
}

var _ = ipctest.Role("send", func(args []string) int {
	c, err := unixsock.Dial(unixsock.SeqPacket, args[0])
	if err != nil {
		return 1
	}
	fd, err := unix.MemfdCreate("from another process", 0)
	if err != nil {
		return 2
	}
	if _, err := c.SendRights([]byte(strconv.Itoa(os.Getpid())), fd); err != nil {
		return 3
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		return 4
	}
	return 0
})

func TestTheKernelTellsWhoTheOtherEndIs(t *testing.T) {
	for name, addr := range map[string]string{
		"the kernel's choice": "",
		"an abstract name":    "@" + ipctest.Name(t),
		"a path":              filepath.Join(t.TempDir(), "s"),
	} {
		l, err := unixsock.Listen(unixsock.SeqPacket, addr)
		require.NoError(t, err, name)
		if addr == "" {
			assert.True(t, strings.HasPrefix(l.Addr(), "@"), l.Addr())
		} else {
			assert.Equal(t, addr, l.Addr())
		}
		cmd := ipctest.Command(t, "send", l.Addr())
		require.NoError(t, cmd.Start())
		c, err := l.Accept()
		require.NoError(t, err)
		peer, err := c.Peer()
		require.NoError(t, err)
		assert.Equal(t, unixsock.Credentials{Pid: cmd.Process.Pid, UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}, peer)
		buf := make([]byte, 20)
		n, fds, err := c.ReceiveRights(buf, 1)
		require.NoError(t, err)
		assert.Equal(t, strconv.Itoa(peer.Pid), string(buf[:n]))
		require.Len(t, fds, 1)
		require.NoError(t, unix.Close(fds[0]))
		require.NoError(t, c.Close())
		require.NoError(t, cmd.Wait(), name)
		require.NoError(t, l.Close())
		assert.ErrorIs(t, l.Close(), unix.EBADF)
	}
}

func TestAddressesThatCannotBeUsedAreErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	l, err := unixsock.Listen(unixsock.Stream, path)
	require.NoError(t, err)
	_, err = unixsock.Listen(unixsock.Stream, path)
	assert.ErrorIs(t, err, unix.EADDRINUSE)
	_, err = unixsock.Listen(unixsock.Stream, path+strings.Repeat("x", 108))
	assert.ErrorIs(t, err, unix.EINVAL)
	_, err = unixsock.Dial(unixsock.SeqPacket, path)
	assert.ErrorIs(t, err, unix.EPROTOTYPE)
	_, err = unixsock.Dial(unixsock.Stream, filepath.Join(dir, "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, unix.SetNonblock(l.Fd(), true))
	_, err = l.Accept()
	assert.ErrorIs(t, err, unix.EAGAIN)
	require.NoError(t, l.Close())
	_, err = unixsock.Dial(unixsock.Stream, path)
	assert.ErrorIs(t, err, unix.ECONNREFUSED)
}
