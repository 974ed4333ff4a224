package posixshm_test

import (
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
)

func create(t *testing.T, mode uint32) *posixshm.Object {
	t.Helper()
	o, err := posixshm.Open("/"+ipctest.Name(t), unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, mode)
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, o.Close())
		assert.NoError(t, posixshm.Unlink(o.Name()))
	})
	return o
}

func TestNewObjectHasExactlyItsModeAndIsEmpty(t *testing.T) {
	o := create(t, 0o666)
	st, err := os.Stat("/dev/shm" + o.Name())
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o666), st.Mode().Perm(), "a umask of 022 would leave 0644")
	size, err := o.Size()
	require.NoError(t, err)
	assert.Zero(t, size)
	flags, err := unix.FcntlInt(uintptr(o.Fd()), unix.F_GETFD, 0)
	require.NoError(t, err)
	assert.NotZero(t, flags&unix.FD_CLOEXEC)
}

func TestWhatOneMappingWritesAnotherReads(t *testing.T) {
	o := create(t, 0o600)
	require.NoError(t, o.Allocate(10_000))
	size, err := o.Size()
	require.NoError(t, err)
	assert.Equal(t, 10_000, size)
	a, err := o.Map(size, true)
	require.NoError(t, err)
	again, err := posixshm.Open(o.Name(), unix.O_RDONLY, 0)
	require.NoError(t, err)
	b, err := again.Map(size, false)
	require.NoError(t, err)
	require.NoError(t, again.Close())
	copy(a[9_990:], "0123456789")
	assert.Equal(t, "0123456789", string(b[9_990:]), "the mapping outlives the descriptor")
	require.NoError(t, posixshm.Unmap(a))
	require.NoError(t, posixshm.Unmap(b))
	assert.ErrorIs(t, posixshm.Unmap(b), unix.EINVAL)
}

func TestErrorsNameTheObject(t *testing.T) {
	name := "/" + ipctest.Name(t)
	_, err := posixshm.Open(name, unix.O_RDWR, 0)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, name)
	assert.ErrorIs(t, posixshm.Unlink(name), fs.ErrNotExist)
	_, err = posixshm.Open("/a\x00b", unix.O_RDWR|unix.O_CREAT, 0o600)
	assert.ErrorIs(t, err, unix.EINVAL)
	assert.ErrorIs(t, posixshm.Unlink("/a\x00b"), unix.EINVAL)
	_, err = posixshm.Open("/a/b", unix.O_RDWR|unix.O_CREAT, 0o600)
	assert.ErrorIs(t, err, unix.EINVAL)

	o := create(t, 0o600)
	_, err = posixshm.Open(o.Name(), unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	assert.ErrorIs(t, err, fs.ErrExist)
	assert.ErrorIs(t, o.Allocate(0), unix.EINVAL)
	_, err = o.Map(0, true)
	assert.ErrorIs(t, err, unix.EINVAL)
	reader, err := posixshm.Open(o.Name(), unix.O_RDONLY, 0)
	require.NoError(t, err)
	_, err = reader.Map(4096, true)
	assert.ErrorIs(t, err, fs.ErrPermission)
	assert.ErrorIs(t, reader.Allocate(1), unix.EBADF)
	require.NoError(t, reader.Close())
	assert.ErrorIs(t, reader.Close(), unix.EBADF)
}
