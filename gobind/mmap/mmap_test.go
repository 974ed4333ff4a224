package mmap_test

import (
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/mmap"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

const (
	readWrite = unix.PROT_READ | unix.PROT_WRITE
	anonymous = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS
)

// newFile is a file of so many zeros.
func newFile(t testing.TB, bytes int) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, f.Close()) })
	require.NoError(t, f.Truncate(int64(bytes)))
	return f
}

func mapped(t testing.TB, f *os.File, offset int64, bytes, protection, flags int) []byte {
	t.Helper()
	memory, err := mmap.Map(int(f.Fd()), offset, bytes, protection, flags)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = mmap.Unmap(memory) // a test may have unmapped or moved it
	})
	return memory
}

func TestASharedMappingIsTheFile(t *testing.T) {
	f := newFile(t, 10_000)
	memory := mapped(t, f, 0, 10_000, readWrite, unix.MAP_SHARED)
	copy(memory[4090:], "across a page")
	got := make([]byte, 13)
	_, err := f.ReadAt(got, 4090)
	require.NoError(t, err)
	assert.Equal(t, "across a page", string(got))
	_, err = f.WriteAt([]byte("written"), 9_000)
	require.NoError(t, err)
	assert.Equal(t, "written", string(memory[9_000:9_007]))
	require.NoError(t, mmap.Sync(memory, unix.MS_SYNC))
	require.NoError(t, mmap.Sync(memory[4095:4097], unix.MS_ASYNC), "any part")
	require.NoError(t, mmap.Sync(nil, unix.MS_SYNC))
}

func TestAPrivateMappingLeavesTheFile(t *testing.T) {
	f := newFile(t, 100)
	memory := mapped(t, f, 0, 100, readWrite, unix.MAP_PRIVATE)
	memory[7] = 1
	got := make([]byte, 1)
	_, err := f.ReadAt(got, 7)
	require.NoError(t, err)
	assert.Zero(t, got[0])
}

func TestAPartOfAFileBeginsAtAPage(t *testing.T) {
	f := newFile(t, 3*mmap.PageSize)
	_, err := f.WriteAt([]byte("second page"), int64(mmap.PageSize))
	require.NoError(t, err)
	memory := mapped(t, f, int64(mmap.PageSize), 11, unix.PROT_READ, unix.MAP_SHARED)
	assert.Equal(t, "second page", string(memory))
	_, err = mmap.Map(int(f.Fd()), 100, 11, unix.PROT_READ, unix.MAP_SHARED)
	ipctest.IsSyscallError(t, err, "mmap", unix.EINVAL)
}

func TestWhatCannotBeMappedIsAnError(t *testing.T) {
	f := newFile(t, 100)
	reader, err := os.Open(f.Name())
	require.NoError(t, err)
	defer reader.Close()
	_, err = mmap.Map(int(reader.Fd()), 0, 100, readWrite, unix.MAP_SHARED)
	ipctest.IsSyscallError(t, err, "mmap", unix.EACCES)
	_, err = mmap.Map(int(f.Fd()), 0, 0, unix.PROT_READ, unix.MAP_SHARED)
	ipctest.IsSyscallError(t, err, "mmap", unix.EINVAL)
	_, err = mmap.Map(-1, 0, 100, unix.PROT_READ, unix.MAP_SHARED)
	ipctest.IsSyscallError(t, err, "mmap", unix.EBADF)
	_, err = mmap.Map(int(f.Fd()), 0, 100, unix.PROT_READ, unix.MAP_SHARED|unix.MAP_FIXED)
	ipctest.IsSyscallError(t, err, "mmap", unix.EINVAL)
	_, err = mmap.Map(-1, 0, 1<<60, readWrite, anonymous)
	ipctest.IsSyscallError(t, err, "mmap", unix.ENOMEM)
}

func TestWhatIsUnmappedIsGone(t *testing.T) {
	memory, err := mmap.Map(-1, 0, 10_000, readWrite, anonymous)
	require.NoError(t, err)
	ipctest.IsSyscallError(t, mmap.Unmap(memory[4096:]), "munmap", unix.EINVAL)
	require.NoError(t, mmap.Unmap(memory))
	ipctest.IsSyscallError(t, mmap.Unmap(memory), "munmap", unix.EINVAL)
	ipctest.IsSyscallError(t, mmap.Sync(memory, unix.MS_SYNC), "msync", unix.ENOMEM)
}

func TestRemapFollowsAFileThatGrew(t *testing.T) {
	f := newFile(t, mmap.PageSize)
	memory := mapped(t, f, 0, mmap.PageSize, readWrite, unix.MAP_SHARED)
	memory[0] = 1
	const large = 64 << 20
	require.NoError(t, f.Truncate(large))
	grown, err := mmap.Remap(memory, large, unix.MREMAP_MAYMOVE)
	require.NoError(t, err)
	require.Len(t, grown, large)
	assert.Equal(t, byte(1), grown[0])
	grown[large-1] = 2
	got := make([]byte, 1)
	_, err = f.ReadAt(got, large-1)
	require.NoError(t, err)
	assert.Equal(t, byte(2), got[0])

	less, err := mmap.Remap(grown, 100, 0)
	require.NoError(t, err)
	assert.Equal(t, unsafe.SliceData(grown), unsafe.SliceData(less), "without MAYMOVE it stays")
	_, err = mmap.Remap(grown, large, unix.MREMAP_MAYMOVE)
	ipctest.IsSyscallError(t, err, "mremap", unix.EINVAL)
	require.NoError(t, mmap.Unmap(less))
}

func TestRemapThatMayNotMoveNeedsRoom(t *testing.T) {
	memory, err := mmap.Map(-1, 0, 2*mmap.PageSize, readWrite, anonymous)
	require.NoError(t, err)
	// Its own second half, made a mapping that differs, is in the way.
	require.NoError(t, mmap.Protect(memory[mmap.PageSize:], unix.PROT_NONE))
	_, err = unix.MremapPtr(unsafe.Pointer(&memory[0]), uintptr(mmap.PageSize), nil, uintptr(2*mmap.PageSize), 0)
	assert.ErrorIs(t, err, unix.ENOMEM, "the kernel")
	_, err = mmap.Remap(memory, 3*mmap.PageSize, unix.MREMAP_MAYMOVE)
	ipctest.IsSyscallError(t, err, "mremap", unix.EFAULT)
	require.NoError(t, mmap.Protect(memory, readWrite))
	_, err = mmap.Remap(memory, 1<<46, 0)
	ipctest.IsSyscallError(t, err, "mremap", unix.ENOMEM)
	require.NoError(t, mmap.Unmap(memory))
}

func TestAdviseReachesPartsOfPages(t *testing.T) {
	memory, err := mmap.Map(-1, 0, 4*mmap.PageSize, readWrite, anonymous)
	require.NoError(t, err)
	defer mmap.Unmap(memory)
	memory[0], memory[mmap.PageSize] = 1, 1
	require.NoError(t, mmap.Advise(memory[mmap.PageSize+5:mmap.PageSize+6], unix.MADV_DONTNEED))
	assert.Equal(t, []byte{1, 0}, []byte{memory[0], memory[mmap.PageSize]}, "its page alone")
	ipctest.IsSyscallError(t, mmap.Advise(memory, 12345), "madvise", unix.EINVAL)
}
