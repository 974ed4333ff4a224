package posixshm_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/mmap"
	"unpipc/gobind/posixshm"
)

func TestListHasWhatThereIsAndNoSemaphores(t *testing.T) {
	a, b := create(t, 0o640), create(t, 0)
	require.NoError(t, a.Truncate(1<<30))
	require.NoError(t, b.Allocate(10_000))
	semaphore := "/dev/shm/sem." + ipctest.Name(t)
	require.NoError(t, os.WriteFile(semaphore, nil, 0o600))
	defer os.Remove(semaphore)

	list, err := posixshm.List()
	require.NoError(t, err)
	assert.True(t, slices.IsSortedFunc(list, func(a, b posixshm.Stat) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	}))
	for o, want := range map[*posixshm.Object]posixshm.Stat{
		a: {Bytes: 1 << 30, Mode: 0o640},
		b: {Bytes: 10_000, Mode: 0, Taken: 12288},
	} {
		st, err := o.Stat()
		require.NoError(t, err)
		want.Name, want.UID, want.GID, want.Changed = o.Name(), os.Geteuid(), os.Getegid(), st.Changed
		assert.Equal(t, want, st)
		assert.Contains(t, list, st)
		assert.WithinDuration(t, time.Now(), st.Changed, time.Hour)
	}
	for _, s := range list {
		assert.NotContains(t, s.Name, "/sem.")
	}
}

func TestATruncatedObjectTakesMemoryOnlyWhereItIsTouched(t *testing.T) {
	o := create(t, 0o600)
	require.NoError(t, o.Truncate(1<<30))
	memory, err := o.Map(1<<30, true)
	require.NoError(t, err)
	defer posixshm.Unmap(memory)
	memory[1<<29] = 1
	st, err := o.Stat()
	require.NoError(t, err)
	assert.Positive(t, st.Taken)
	assert.LessOrEqual(t, st.Taken, 2<<20, "a page, be it a huge one")
	require.NoError(t, o.Truncate(10))
	err = mmap.Catch(memory, func() { memory[1<<29] = 2 })
	assert.ErrorIs(t, err, unix.EFAULT, "it was made shorter under the mapping")
	assert.ErrorIs(t, o.Truncate(-1), unix.EINVAL)
}

// With a small file system on /dev/shm, in a mount namespace of its own.
var _ = ipctest.Role("fill /dev/shm", func([]string) int {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		fmt.Println(err)
		return 10
	}
	if err := unix.Mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=1m"); err != nil {
		fmt.Println(err)
		return 11
	}
	const flags = unix.O_RDWR | unix.O_CREAT | unix.O_EXCL
	o, err := posixshm.Open("/a", flags, 0o600)
	if err != nil {
		return 12
	}
	if err := o.Allocate(1<<20 + 1); !errors.Is(err, unix.ENOSPC) {
		fmt.Println(err)
		return 13
	}
	if size, err := o.Size(); size != 0 || err != nil {
		return 14 // all or nothing
	}
	if o.Allocate(1<<20) != nil {
		return 15
	}
	// Now it is full: another can be made and promised memory, which is not there.
	other, err := posixshm.Open("/b", flags, 0o600)
	if err != nil || !errors.Is(other.Allocate(1), unix.ENOSPC) || other.Truncate(4096) != nil {
		return 16
	}
	memory, err := other.Map(4096, true)
	if err != nil {
		return 17
	}
	var fault *mmap.FaultError
	if err := mmap.Catch(memory, func() { memory[1000] = 1 }); !errors.As(err, &fault) || fault.Offset != 1000 {
		fmt.Println(err)
		return 18
	}
	if err := mmap.Advise(memory, unix.MADV_POPULATE_WRITE); !errors.Is(err, unix.EFAULT) {
		fmt.Println(err)
		return 19
	}
	if posixshm.Unlink("/a") != nil || o.Close() != nil {
		return 20
	}
	if err := mmap.Catch(memory, func() { memory[1000] = 1 }); err != nil {
		fmt.Println(err)
		return 21 // there is room again
	}
	return 0
})

func TestMoreThanThereIsRoomForIsAnErrorAndNoPromise(t *testing.T) {
	o := create(t, 0o600)
	var st unix.Statfs_t
	require.NoError(t, unix.Statfs("/dev/shm", &st))
	ipctest.IsPathError(t, o.Allocate(int(st.Blocks)*int(st.Bsize)+1), "posix_fallocate", o.Name(), unix.ENOSPC)
	size, err := o.Size()
	require.NoError(t, err)
	assert.Zero(t, size, "all or nothing")
	// Only one's own may be filled.
	if ipctest.Isolated() {
		cmd := ipctest.Command(t, "fill /dev/shm")
		cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWNS
		out, err := cmd.CombinedOutput()
		assert.NoError(t, err, string(out))
	}
}
