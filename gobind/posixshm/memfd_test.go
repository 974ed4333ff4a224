package posixshm_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
)

// newMemfd is closed at the end of the test.
func newMemfd(t *testing.T, bytes, flags int) *posixshm.Object {
	t.Helper()
	o, err := posixshm.Memfd("of a test", flags)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, o.Close()) })
	if bytes > 0 {
		require.NoError(t, o.Allocate(bytes))
	}
	return o
}

func TestAMemfdHasNoNameAndIsInherited(t *testing.T) {
	o := newMemfd(t, 100, 0)
	list, err := posixshm.List()
	require.NoError(t, err)
	for _, s := range list {
		assert.NotContains(t, s.Name, "of a test")
	}
	link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", o.Fd()))
	require.NoError(t, err)
	assert.Equal(t, "/memfd:of a test (deleted)", link)
	flags, err := unix.FcntlInt(uintptr(o.Fd()), unix.F_GETFD, 0)
	require.NoError(t, err)
	assert.NotZero(t, flags&unix.FD_CLOEXEC)

	memory, err := o.Map(100, true)
	require.NoError(t, err)
	defer posixshm.Unmap(memory)
	memory[0] = 0x11
	fd, err := unix.Dup(o.Fd())
	require.NoError(t, err)
	file := os.NewFile(uintptr(fd), "memfd")
	defer file.Close()
	c := inC(t, []*os.File{file}, "fd 3", "map 100 w", "read 0 1", "write 1 22")
	assert.Equal(t, []string{"0", "0", "11", "0"}, c.Rest())
	assert.Equal(t, byte(0x22), memory[1])
}

func TestAnInheritedDescriptorIsAnObject(t *testing.T) {
	o := newMemfd(t, 100, 0)
	fd, err := unix.FcntlInt(uintptr(o.Fd()), unix.F_DUPFD_CLOEXEC, 0)
	require.NoError(t, err)
	same := posixshm.FromFd(fd, "inherited")
	size, err := same.Size()
	require.NoError(t, err)
	assert.Equal(t, 100, size)
	require.NoError(t, same.Close())
	assert.ErrorContains(t, same.Close(), "inherited")
}

func TestSealsForbidForEver(t *testing.T) {
	o := newMemfd(t, 5000, unix.MFD_ALLOW_SEALING)
	seals, err := o.Seals()
	require.NoError(t, err)
	assert.Zero(t, seals)
	writable, err := o.Map(5000, true)
	require.NoError(t, err)
	writable[0] = 1
	assert.ErrorIs(t, o.Seal(unix.F_SEAL_WRITE), unix.EBUSY, "there is a mapping that may write")
	require.NoError(t, posixshm.Unmap(writable))

	require.NoError(t, o.Seal(unix.F_SEAL_SHRINK))
	assert.ErrorIs(t, o.Truncate(4999), unix.EPERM)
	require.NoError(t, o.Truncate(6000))
	require.NoError(t, o.Seal(unix.F_SEAL_GROW))
	assert.ErrorIs(t, o.Truncate(6001), unix.EPERM)
	assert.ErrorIs(t, o.Allocate(7000), unix.EPERM)
	require.NoError(t, o.Seal(unix.F_SEAL_WRITE))
	_, err = o.Map(6000, true)
	assert.ErrorIs(t, err, unix.EPERM)
	readable, err := o.Map(6000, false)
	require.NoError(t, err)
	assert.Equal(t, byte(1), readable[0])
	require.NoError(t, posixshm.Unmap(readable))
	require.NoError(t, o.Seal(unix.F_SEAL_SEAL))
	assert.ErrorIs(t, o.Seal(unix.F_SEAL_FUTURE_WRITE), unix.EPERM)
	seals, err = o.Seals()
	require.NoError(t, err)
	assert.Equal(t, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE|unix.F_SEAL_SEAL, seals)
	fd, err := unix.Dup(o.Fd())
	require.NoError(t, err)
	file := os.NewFile(uintptr(fd), "memfd")
	defer file.Close()
	c := inC(t, []*os.File{file}, "fd 3", "seals", "truncate 1", "map 100 w", "map 100 r", "read 0 1")
	assert.Equal(t, []string{"0", fmt.Sprint(seals), ipctest.Outcome(unix.EPERM), ipctest.Outcome(unix.EPERM), "0", "01"}, c.Rest())
}

func TestOldMappingsWriteUnderTheSealOfFutureOnes(t *testing.T) {
	o := newMemfd(t, 100, unix.MFD_ALLOW_SEALING)
	ours, err := o.Map(100, true)
	require.NoError(t, err)
	defer posixshm.Unmap(ours)
	require.NoError(t, o.Seal(unix.F_SEAL_FUTURE_WRITE))
	_, err = o.Map(100, true)
	assert.ErrorIs(t, err, unix.EPERM)
	theirs, err := o.Map(100, false)
	require.NoError(t, err)
	defer posixshm.Unmap(theirs)
	ours[5] = 5
	assert.Equal(t, byte(5), theirs[5])
}

func TestWhatTakesNoSeals(t *testing.T) {
	o := newMemfd(t, 0, 0)
	assert.ErrorIs(t, o.Seal(unix.F_SEAL_GROW), unix.EPERM)
	seals, err := o.Seals()
	require.NoError(t, err)
	assert.Equal(t, unix.F_SEAL_SEAL, seals)
	named := create(t, 0o600)
	assert.ErrorIs(t, named.Seal(unix.F_SEAL_GROW), unix.EPERM)
	seals, err = named.Seals()
	require.NoError(t, err)
	assert.Equal(t, unix.F_SEAL_SEAL, seals)
}

func TestNamesOfMemfds(t *testing.T) {
	for _, name := range []string{"a\x00b", strings.Repeat("x", 250)} {
		_, err := posixshm.Memfd(name, 0)
		assert.ErrorIs(t, err, unix.EINVAL)
		assert.ErrorContains(t, err, "memfd:")
	}
	for _, name := range []string{"", "a/b", strings.Repeat("x", 249)} {
		o, err := posixshm.Memfd(name, 0)
		require.NoError(t, err)
		assert.Equal(t, "memfd:"+name, o.Name())
		require.NoError(t, o.Close())
	}
}

func TestHugePagesOrAClearError(t *testing.T) {
	o, err := posixshm.Memfd("huge", unix.MFD_HUGETLB)
	if err != nil {
		assert.Contains(t, []error{unix.ENODEV, unix.EINVAL, unix.ENOSYS, unix.ENOENT}, error(ipctest.Errno(err)), "the kernel has none")
		return
	}
	defer o.Close()
	require.NoError(t, o.Truncate(2<<20))
	memory, err := o.Map(2<<20, true)
	if err != nil {
		assert.ErrorIs(t, err, unix.ENOMEM, "none are set aside")
		return
	}
	memory[2<<20-1] = 1
	require.NoError(t, posixshm.Unmap(memory))
}
