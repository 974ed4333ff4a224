package sysvshm_test

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/sysv/sysvtest"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvshm"
)

func TestErrorsNameTheSegmentAndTheCall(t *testing.T) {
	key := newKey()
	_, err := sysvshm.Get(key, 0, 0)
	ipctest.IsPathError(t, err, "shmget", "System V shared memory "+key.String(), unix.ENOENT)
	assert.ErrorIs(t, err, fs.ErrNotExist)

	s, err := sysvshm.Get(key, 100, sysvshm.Create|sysvshm.Excl|0o600)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, s)
	_, err = sysvshm.Get(key, 100, sysvshm.Create|sysvshm.Excl|0o600)
	assert.ErrorIs(t, err, fs.ErrExist)
	name := fmt.Sprintf("System V shared memory %s (shmid %d)", key, s.ID())
	_, err = s.AttachAt(uintptr(sysvshm.LBA)+1, 0)
	ipctest.IsPathError(t, err, "shmat", name, unix.EINVAL)
	require.NoError(t, s.Remove())
	ipctest.IsPathError(t, s.Remove(), "shmctl", name, unix.EINVAL)
	_, err = s.Stat()
	ipctest.IsPathError(t, err, "shmctl", name, unix.EINVAL)
	ipctest.IsPathError(t, s.Set(sysvshm.Stat{}), "shmctl", name, unix.EINVAL)
	ipctest.IsPathError(t, s.Lock(), "shmctl", name, unix.EINVAL)
	_, err = s.Attach(0)
	ipctest.IsPathError(t, err, "shmat", name, unix.EINVAL)
}

func TestAnIdentifierIsOpenedUnchecked(t *testing.T) {
	s := newSegment(t, 10)
	same := attach(t, sysvshm.Open(s.ID()), 0)
	same[9] = 7
	assert.Equal(t, byte(7), attach(t, s, 0)[9])
	for _, id := range []int{-1, -5, 1<<31 - 1, 1<<32 | s.ID(), -1 << 40} {
		_, err := sysvshm.Open(id).Attach(0)
		ipctest.IsPathError(t, err, "shmat", fmt.Sprintf("System V shared memory (shmid %d)", id), unix.EINVAL)
	}
}

// What C gets for the same arguments is what Go must get.
func TestSizesAndFlagsAreJudgedAsInC(t *testing.T) {
	for _, c := range []struct {
		is      string
		there   bool // a segment of 5000 bytes
		bytes   int
		letters string
		want    syscall.Errno
	}{
		{"none, not to be made", false, 100, "-", unix.ENOENT},
		{"none, to be made of no bytes", false, 0, "c", unix.EINVAL},
		{"none, to be made", false, 1, "c", 0},
		{"none, to be made alone", false, 1, "cx", 0},
		{"one, any size", true, 0, "-", 0},
		{"one, its size", true, 5000, "-", 0},
		{"one, smaller", true, 1, "c", 0},
		{"one, larger", true, 5001, "-", unix.EINVAL},
		{"one, larger, though in its last page", true, 8192, "c", unix.EINVAL},
		{"one, to be made alone", true, 5000, "cx", unix.EEXIST},
	} {
		for _, language := range []string{"Go", "C"} {
			t.Run(c.is+", "+language, func(t *testing.T) {
				key := newKey()
				if c.there {
					s, err := sysvshm.Get(key, 5000, sysvshm.Create|sysvshm.Excl|0o600)
					require.NoError(t, err)
					sysvtest.RemoveLater(t, s)
				}
				defer func() {
					if s, err := sysvshm.Get(key, 0, 0); err == nil {
						assert.NoError(t, s.Remove())
					}
				}()
				if language == "C" {
					out := inC(t, fmt.Sprintf("get %d %d %s 600", key, c.bytes, c.letters)).Rest()
					assert.Equal(t, []string{ipctest.Outcome(c.want)}, out)
					return
				}
				flags := 0o600
				if strings.Contains(c.letters, "c") {
					flags |= sysvshm.Create
				}
				if strings.Contains(c.letters, "x") {
					flags |= sysvshm.Excl
				}
				_, err := sysvshm.Get(key, c.bytes, flags)
				assert.Equal(t, c.want, ipctest.Errno(err))
			})
		}
	}
}

func TestManyWhoCreateGetOneSegment(t *testing.T) {
	key := newKey()
	sysvtest.AssertOneIsMade(t, func() (*sysvshm.Segment, error) { return sysvshm.Get(key, 4096, sysvshm.Create|0o600) })
}

func TestFtokAndKeys(t *testing.T) {
	key, err := sysvshm.Ftok("/", 'U')
	require.NoError(t, err)
	assert.Equal(t, uint32('U'), uint32(key)>>24)
	_, err = sysvshm.Ftok("/no such file", 'U')
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.Equal(t, "0x00000000", sysvshm.Private.String())
}

var _ = sysvtest.UserRole("use a segment", table, func(u sysvtest.User, id string) *sysvshm.Segment {
	n, _ := strconv.Atoi(id)
	s := sysvshm.Open(n)
	memory, err := s.Attach(sysvshm.ReadOnly)
	u.Expect("shmat to read", err, "r", 0)
	if err == nil && memory[0] != 42 {
		panic("not the memory of this segment")
	}
	memory, err = s.Attach(0)
	u.Expect("shmat to write", err, "rw", 0)
	if err == nil {
		memory[1] = 43
	}
	return s
})

func TestPermissions(t *testing.T) {
	for _, user := range sysvtest.Users() {
		s := newSegment(t, 100)
		memory := attach(t, s, 0)
		memory[0] = 42
		st := sysvtest.State(t, s)
		st.Mode = uint32(user.Mode)
		require.NoError(t, s.Set(st))
		user.Play(t, "use a segment", strconv.Itoa(s.ID()))
		if user.May == "rw" {
			assert.Equal(t, byte(43), memory[1])
		}
	}
}

func TestTheUmaskDoesNotCount(t *testing.T) {
	umask := unix.Umask(0o777)
	s, err := sysvshm.Get(sysvshm.Private, 1, 0o666)
	unix.Umask(umask)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, s)
	assert.Equal(t, uint32(0o666), sysvtest.State(t, s).Mode)
}

func TestLimitsOfTheSystem(t *testing.T) {
	few := ipctest.Sysctl(t, map[string]string{"kernel/shmmni": "3", "kernel/shmmax": "10000", "kernel/shmall": "5"})
	i, err := sysvshm.ReadInfo()
	require.NoError(t, err)
	_, err = sysvshm.Get(sysvshm.Private, int(i.MinBytes)-1, 0o600)
	assert.ErrorIs(t, err, unix.EINVAL)
	_, err = sysvshm.Get(sysvshm.Private, -1, 0o600)
	assert.Contains(t, []syscall.Errno{unix.EINVAL, unix.ENOSPC, unix.ENOMEM}, ipctest.Errno(err), "more bytes than there are addresses")
	if !few {
		return
	}
	assert.Equal(t, sysvshm.Info{MaxBytes: 10000, MinBytes: 1, MaxSegments: 3, MaxPages: 5}, i)
	for _, c := range []struct {
		bytes int
		want  syscall.Errno
		why   string
	}{
		{10001, unix.EINVAL, "over shmmax"},
		{10000, 0, "three pages"},
		{10000, unix.ENOSPC, "over shmall"},
		{1, 0, "a page"},
		{1, 0, "a page"},
		{1, unix.ENOSPC, "over shmmni"},
	} {
		s, err := sysvshm.Get(sysvshm.Private, c.bytes, 0o600)
		assert.Equal(t, c.want, ipctest.Errno(err), c.why)
		if err == nil {
			sysvtest.RemoveLater(t, s)
		}
	}
	i.Segments, i.Pages = 3, 5
	now, err := sysvshm.ReadInfo()
	require.NoError(t, err)
	assert.Equal(t, i, now)
}
