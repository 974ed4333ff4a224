package sysvshm_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/sysv/sysvtest"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/mmap"
	"unpipc/gobind/sysvshm"
)

func address(memory []byte) uintptr { return uintptr(unsafe.Pointer(&memory[0])) }

func TestANewSegmentIsZeroAndOfExactlyItsSize(t *testing.T) {
	memory := attach(t, newSegment(t, 5000), 0)
	assert.Equal(t, make([]byte, 5000), memory)
}

func TestBytesGoBothWaysBetweenGoAndC(t *testing.T) {
	key := newKey()
	s, err := sysvshm.Get(key, 5000, sysvshm.Create|sysvshm.Excl|0o600)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, s)
	memory := attach(t, s, 0)
	copy(memory[4990:], "from Go")
	c := inC(t, fmt.Sprintf("get %d 0 - 0", key), "attach 0 -", "read 4990 10", "write 4093 66726f6d2043", "hold", "read 0 1", "detach")
	assert.Equal(t, []string{"0", "0", "66726f6d20476f000000", "0"}, c.Lines(4))
	assert.Equal(t, "from C", string(memory[4093:4099]), "across a page")
	memory[0] = 0xab
	assert.Equal(t, []string{"0", "ab", "0"}, c.Rest())
}

func TestASegmentMadeByCIsUsedByGo(t *testing.T) {
	key := newKey()
	c := inC(t, fmt.Sprintf("get %d 300 cx 640", key), "attach 0 -", "write 0 0102", "hold", "read 2 2", "remove", "detach")
	assert.Equal(t, []string{"0", "0", "0"}, c.Lines(3))
	s, err := sysvshm.Get(key, 300, 0)
	require.NoError(t, err)
	memory := attach(t, s, 0)
	assert.Equal(t, []byte{1, 2, 0}, memory[:3])
	memory[2], memory[3] = 3, 4
	assert.Equal(t, []string{"0", "0304", "0", "0"}, c.Rest())
}

func TestAttachedToReadItCannotBeWritten(t *testing.T) {
	s := newSegment(t, 100)
	attach(t, s, 0)[5] = 9
	memory := attach(t, s, sysvshm.ReadOnly)
	assert.Equal(t, byte(9), memory[5])
	err := mmap.Catch(memory, func() { memory[6] = 1 })
	var fault *mmap.FaultError
	require.ErrorAs(t, err, &fault)
	assert.Equal(t, 6, fault.Offset)
	assert.ErrorIs(t, mmap.Protect(memory, unix.PROT_READ|unix.PROT_WRITE), unix.EACCES)
}

// free is an address where nothing is mapped for some pages.
func free(t *testing.T) uintptr {
	t.Helper()
	memory, err := mmap.Map(-1, 0, 1<<30, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	require.NoError(t, err)
	require.NoError(t, mmap.Unmap(memory))
	return address(memory) + 1<<29
}

func TestAnAddressIsTakenOrRounded(t *testing.T) {
	s := newSegment(t, 100)
	at := free(t)
	memory, err := s.AttachAt(at, 0)
	require.NoError(t, err)
	assert.Equal(t, at, address(memory))
	memory[3] = 33
	_, err = s.AttachAt(at, 0)
	assert.ErrorIs(t, err, unix.EINVAL, "in use")
	again, err := s.AttachAt(at, sysvshm.Remap|sysvshm.ReadOnly)
	require.NoError(t, err)
	assert.Equal(t, at, address(again))
	assert.Equal(t, byte(33), again[3])
	require.NoError(t, sysvshm.Detach(again))
	assert.ErrorIs(t, sysvshm.Detach(memory), unix.EINVAL, "the one was in place of the other")

	_, err = s.AttachAt(at+100, 0)
	assert.ErrorIs(t, err, unix.EINVAL, "no multiple of LBA")
	rounded, err := s.AttachAt(at+uintptr(sysvshm.LBA)-1, sysvshm.Round)
	require.NoError(t, err)
	assert.Equal(t, at, address(rounded))
	require.NoError(t, sysvshm.Detach(rounded))

	out := inC(t, fmt.Sprintf("id %d", s.ID()), fmt.Sprintf("attach %#x -", at+100), fmt.Sprintf("attach %#x d", at+100)).Rest()
	assert.Equal(t, []string{"0", ipctest.Outcome(unix.EINVAL), fmt.Sprintf("%#x", at)}, out)
}

func TestASegmentIsAttachedMoreThanOnce(t *testing.T) {
	s := newSegment(t, 100)
	a, b := attach(t, s, 0), attach(t, s, 0)
	assert.NotEqual(t, address(a), address(b))
	a[50] = 5
	assert.Equal(t, byte(5), b[50])
	assert.Equal(t, 2, sysvtest.State(t, s).Attached)
}

func TestWhatIsNotAttachedIsNotDetached(t *testing.T) {
	memory, err := newSegment(t, 10000).Attach(0)
	require.NoError(t, err)
	assert.ErrorIs(t, sysvshm.Detach(memory[4096:]), unix.EINVAL, "not its beginning")
	assert.ErrorIs(t, sysvshm.Detach(nil), unix.EINVAL)
	require.NoError(t, sysvshm.Detach(memory))
	err = sysvshm.Detach(memory)
	var call *os.SyscallError
	require.ErrorAs(t, err, &call)
	assert.Equal(t, os.SyscallError{Syscall: "shmdt", Err: unix.EINVAL}, *call)
}

func TestRemovedWhileAttachedItLivesUntilTheLastDetach(t *testing.T) {
	key := newKey()
	s, err := sysvshm.Get(key, 100, sysvshm.Create|sysvshm.Excl|0o640)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, s)
	memory, err := s.Attach(0)
	require.NoError(t, err)
	require.NoError(t, s.Remove())

	st := sysvtest.State(t, s)
	assert.True(t, st.Removed)
	assert.Equal(t, sysvshm.Private, st.Key)
	assert.Equal(t, 1, st.Attached)
	assert.Regexp(t, fmt.Sprintf(`(?m)^0x00000000 +%d +\S+ +640 +100 +1 +dest`, s.ID()), ipctest.Output(t, "ipcs", "-m"))
	_, err = sysvshm.Get(key, 0, 0)
	assert.ErrorIs(t, err, unix.ENOENT, "its key finds it no more")

	memory[0] = 0x77
	id := fmt.Sprintf("id %d", s.ID())
	c := inC(t, id, "attach 0 -", "read 0 1", "stat", "hold", "read 0 1", "detach", "attach 0 -")
	assert.Equal(t, []string{"0", "0", "77", "mode 640, 100 bytes, 2 attached, dest"}, c.Lines(4), "by its identifier it is still attached")
	memory[0] = 0x78
	require.NoError(t, sysvshm.Detach(memory))
	assert.Equal(t, 1, sysvtest.State(t, s).Attached)
	out := c.Rest()
	assert.Equal(t, []string{"0", "78", "0"}, out[:3])
	assert.Contains(t, []string{ipctest.Outcome(unix.EINVAL), ipctest.Outcome(unix.EIDRM)}, out[3])
	_, err = s.Stat()
	assert.ErrorIs(t, err, unix.EINVAL)
}

func TestAKilledHolderDetaches(t *testing.T) {
	s := newSegment(t, 100)
	memory := attach(t, s, 0)
	c := inC(t, fmt.Sprintf("id %d", s.ID()), "attach 0 -", "write 0 aa", "hold")
	c.Lines(3)
	st := sysvtest.State(t, s)
	assert.Equal(t, 2, st.Attached)
	assert.Equal(t, c.Process.Pid, st.LastPID)
	c.Kill()
	ipctest.Eventually(t, func() bool { // who looks at it in /proc keeps its memory a moment
		return sysvtest.State(t, s).Attached == 1
	}, "the killed process is still attached")
	assert.Equal(t, byte(0xaa), memory[0])
}

var _ = ipctest.Role("write and end", func(args []string) int {
	id, _ := strconv.Atoi(args[0])
	memory, err := sysvshm.Open(id).Attach(0)
	if err != nil {
		return 10
	}
	memory[1]++
	return 0
})

func TestProcessesShareIt(t *testing.T) {
	s := newSegment(t, 100)
	memory := attach(t, s, 0)
	for range 3 {
		out, err := ipctest.Command(t, "write and end", strconv.Itoa(s.ID())).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	assert.Equal(t, byte(3), memory[1])
}

func TestHugePagesOrAClearError(t *testing.T) {
	s, err := sysvshm.Get(sysvshm.Private, 2<<20, sysvshm.HugeTLB|sysvshm.Huge2MB|0o600)
	if err != nil {
		assert.Contains(t, []any{unix.ENOMEM, unix.EPERM, unix.EINVAL, unix.ENOENT}, any(ipctest.Errno(err)), "none are set aside")
		return
	}
	sysvtest.RemoveLater(t, s)
	memory := attach(t, s, 0)
	assert.Zero(t, address(memory)%(2<<20))
	memory[2<<20-1] = 1
}

func TestMemoryIsGivenBackOnceDetachedAndRemoved(t *testing.T) {
	before, err := sysvshm.ReadInfo()
	require.NoError(t, err)
	for range 20 { // 20 times 64 MiB are more than it may leave behind
		s := newSegment(t, 64<<20)
		memory, err := s.Attach(0)
		require.NoError(t, err)
		require.NoError(t, s.Remove())
		require.NoError(t, mmap.Advise(memory[:1<<20], unix.MADV_POPULATE_WRITE))
		require.NoError(t, sysvshm.Detach(memory))
	}
	after, err := sysvshm.ReadInfo()
	require.NoError(t, err)
	assert.Less(t, after.Pages, before.Pages+20*16384)
}
