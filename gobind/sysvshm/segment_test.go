package sysvshm_test

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvshm"
)

func TestErrorsNameTheSegmentAndTheCall(t *testing.T) {
	key := newKey()
	_, err := sysvshm.Get(key, 0, 0)
	isPath(t, err, "shmget", "System V shared memory "+key.String(), unix.ENOENT)
	assert.ErrorIs(t, err, fs.ErrNotExist)

	s, err := sysvshm.Get(key, 100, sysvshm.Create|sysvshm.Excl|0o600)
	require.NoError(t, err)
	removeLater(t, s)
	_, err = sysvshm.Get(key, 100, sysvshm.Create|sysvshm.Excl|0o600)
	assert.ErrorIs(t, err, fs.ErrExist)
	name := fmt.Sprintf("System V shared memory %s (shmid %d)", key, s.ID())
	_, err = s.AttachAt(uintptr(sysvshm.LBA)+1, 0)
	isPath(t, err, "shmat", name, unix.EINVAL)
	require.NoError(t, s.Remove())
	isPath(t, s.Remove(), "shmctl", name, unix.EINVAL)
	_, err = s.Stat()
	isPath(t, err, "shmctl", name, unix.EINVAL)
	isPath(t, s.Set(sysvshm.Stat{}), "shmctl", name, unix.EINVAL)
	isPath(t, s.Lock(), "shmctl", name, unix.EINVAL)
	_, err = s.Attach(0)
	isPath(t, err, "shmat", name, unix.EINVAL)
}

func TestAnIdentifierIsOpenedUnchecked(t *testing.T) {
	s := newSegment(t, 10)
	same := attach(t, sysvshm.Open(s.ID()), 0)
	same[9] = 7
	assert.Equal(t, byte(7), attach(t, s, 0)[9])
	for _, id := range []int{-1, -5, 1<<31 - 1, 1<<32 | s.ID(), -1 << 40} {
		_, err := sysvshm.Open(id).Attach(0)
		isPath(t, err, "shmat", fmt.Sprintf("System V shared memory (shmid %d)", id), unix.EINVAL)
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
					removeLater(t, s)
				}
				defer func() {
					if s, err := sysvshm.Get(key, 0, 0); err == nil {
						assert.NoError(t, s.Remove())
					}
				}()
				if language == "C" {
					out := inC(t, fmt.Sprintf("get %d %d %s 600", key, c.bytes, c.letters)).rest(t)
					assert.Equal(t, []string{did(c.want)}, out)
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
				assert.Equal(t, c.want, errnoOf(err))
			})
		}
	}
	_, err := sysvshm.Get(sysvshm.Private, -1, 0o600)
	assert.Contains(t, []syscall.Errno{unix.EINVAL, unix.ENOSPC, unix.ENOMEM}, errnoOf(err))
}

func TestManyWhoCreateGetOneSegment(t *testing.T) {
	key := newKey()
	var creating sync.WaitGroup
	ids := make([]int, 20)
	for i := range ids {
		creating.Go(func() {
			s, err := sysvshm.Get(key, 4096, sysvshm.Create|0o600)
			if assert.NoError(t, err) {
				ids[i] = s.ID()
			}
		})
	}
	creating.Wait()
	removeLater(t, sysvshm.Open(ids[0]))
	for _, id := range ids {
		assert.Equal(t, ids[0], id)
	}
}

func TestFtokAndKeys(t *testing.T) {
	key, err := sysvshm.Ftok("/", 'U')
	require.NoError(t, err)
	assert.Equal(t, uint32('U'), uint32(key)>>24)
	_, err = sysvshm.Ftok("/no such file", 'U')
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.Equal(t, "0x00000000", sysvshm.Private.String())
}

var _ = ipctest.Role("use what is another's", func(args []string) int {
	id, _ := strconv.Atoi(args[0])
	may := args[1] // "r", "rw" or none
	s := sysvshm.Open(id)
	r, w := strings.Contains(may, "r"), strings.Contains(may, "w")
	expect := func(call string, err error, allowed bool, otherwise syscall.Errno) {
		want := otherwise
		if allowed {
			want = 0
		}
		if errnoOf(err) != want {
			fmt.Printf("%s with permission %q: %v\n", call, may, err)
			os.Exit(10)
		}
	}
	memory, err := s.Attach(sysvshm.ReadOnly)
	expect("shmat to read", err, r, unix.EACCES)
	if err == nil && memory[0] != 42 {
		return 11
	}
	memory, err = s.Attach(0)
	expect("shmat to write", err, r && w, unix.EACCES)
	if err == nil {
		memory[1] = 43
	}
	st, err := s.Stat()
	expect("IPC_STAT", err, r, unix.EACCES)
	st.Mode = 0o666
	expect("IPC_SET", s.Set(st), false, unix.EPERM)
	expect("IPC_RMID", s.Remove(), false, unix.EPERM)
	all, err := sysvshm.List()
	if err != nil {
		return 12
	}
	for _, one := range all {
		if one.ID == id {
			return 0 // listed, whatever its mode
		}
	}
	return 13
})

func TestPermissions(t *testing.T) {
	ipctest.Require(t, os.Geteuid() == 0, "root, to be somebody else")
	for may, mode := range map[string]int{"": 0o600, "r": 0o604, "w": 0o602, "rw": 0o606} {
		s, err := sysvshm.Get(sysvshm.Private, 100, mode)
		require.NoError(t, err)
		removeLater(t, s)
		memory := attach(t, s, 0)
		memory[0] = 42
		cmd := ipctest.Command(t, "use what is another's", strconv.Itoa(s.ID()), may)
		cmd.Path = "/proc/self/exe"
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
		out, err := cmd.CombinedOutput()
		assert.NoError(t, err, string(out))
		if may == "rw" {
			assert.Equal(t, byte(43), memory[1])
		}
	}
}

var _ = ipctest.Role("make without umask", func([]string) int {
	unix.Umask(0o777)
	s, err := sysvshm.Get(sysvshm.Private, 1, 0o666)
	if err != nil {
		return 10
	}
	defer s.Remove()
	if st, err := s.Stat(); err != nil || st.Mode != 0o666 {
		fmt.Println(st, err)
		return 11
	}
	return 0
})

func TestTheUmaskDoesNotCount(t *testing.T) {
	out, err := ipctest.Command(t, "make without umask").CombinedOutput()
	assert.NoError(t, err, string(out))
}

var _ = ipctest.Role("make too many", func([]string) int {
	for name, value := range map[string]string{"shmmni": "3", "shmmax": "10000", "shmall": "5"} {
		if err := os.WriteFile("/proc/sys/kernel/"+name, []byte(value), 0); err != nil {
			fmt.Println(err)
			return 10
		}
	}
	i, err := sysvshm.ReadInfo()
	if err != nil || i != (sysvshm.Info{MaxBytes: 10000, MinBytes: 1, MaxSegments: 3, MaxPages: 5}) {
		fmt.Println(i, err)
		return 11
	}
	for n, want := range []syscall.Errno{unix.EINVAL, 0, unix.ENOSPC, 0, 0, unix.ENOSPC} {
		// Over shmmax; three pages; over shmall; one page; one page; over shmmni (and shmall).
		bytes := []int{10001, 10000, 10000, 1, 1, 1}[n]
		if _, err := sysvshm.Get(sysvshm.Private, bytes, 0o600); errnoOf(err) != want {
			fmt.Println(n, err)
			return 12
		}
	}
	i, err = sysvshm.ReadInfo()
	if err != nil || i.Segments != 3 || i.Pages != 5 || i.Resident != 0 {
		fmt.Println(i, err)
		return 13
	}
	return 0
})

func TestLimitsOfTheSystem(t *testing.T) { inNamespace(t, "make too many") }
