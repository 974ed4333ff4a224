package sysvsem_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/sysv/sysvtest"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvsem"
)

func TestStatTellsWhatHappened(t *testing.T) {
	begin := time.Now().Add(-time.Minute) // the kernel's seconds come from a clock that lags a little
	s := newSet(t, 0, 0)
	st := sysvtest.State(t, s)
	assert.False(t, st.Changed.Before(begin))
	want := sysvsem.Stat{
		ID: s.ID(), UID: os.Geteuid(), GID: os.Getegid(), CreatorUID: os.Geteuid(), CreatorGID: os.Getegid(),
		Mode: 0o600, Semaphores: 2, Changed: st.Changed,
	}
	assert.Equal(t, want, st)
	require.NoError(t, s.Do(op(0, 1)))
	st = sysvtest.State(t, s)
	assert.False(t, st.Operated.Before(begin))
	want.Operated = st.Operated
	assert.Equal(t, want, st)
}

func TestSetChangesOwnerAndModeOnly(t *testing.T) {
	s := newSet(t, 1)
	st := sysvtest.State(t, s)
	want := st
	want.Mode = 0o640
	if os.Geteuid() == 0 {
		want.UID, want.GID = 65534, 65533
	}
	ignored := want
	ignored.CreatorUID, ignored.Semaphores, ignored.Key, ignored.ID = 7, 7, 7, 7
	require.NoError(t, s.Set(ignored))
	got := sysvtest.State(t, s)
	want.Changed = got.Changed
	assert.Equal(t, want, got)
	want.UID = -1
	assert.ErrorIs(t, s.Set(want), unix.EINVAL)
}

var table = sysvtest.Table[sysvsem.Stat]{
	List: sysvsem.List,
	ID:   func(st sysvsem.Stat) int { return st.ID },
	Proc: "sem",
	Flag: "-s",
	Shown: func(st sysvsem.Stat) (row map[string]int, line string) {
		return map[string]int{
			"key": int(st.Key), "semid": st.ID, "perms": int(st.Mode), "nsems": st.Semaphores,
			"uid": st.UID, "gid": st.GID, "cuid": st.CreatorUID, "cgid": st.CreatorGID,
			"otime": ipctest.SystemVTime(st.Operated), "ctime": ipctest.SystemVTime(st.Changed),
		}, fmt.Sprintf(`%s +%d +\S+ +%o +%d`, st.Key, st.ID, st.Mode, st.Semaphores)
	},
}

func TestStatAndListAgreeWithProcAndIpcs(t *testing.T) {
	var sets []*sysvsem.Set
	for i := range 5 {
		s, err := sysvsem.Get(newKey(), i+1, sysvsem.Create|sysvsem.Excl|0o600|i)
		require.NoError(t, err)
		sysvtest.RemoveLater(t, s)
		sets = append(sets, s)
	}
	require.NoError(t, sets[1].Do(op(0, 1)))
	sysvtest.AssertShown(t, table, sets)
}

func TestInfoAgreesWithSysctlAndTheList(t *testing.T) {
	newSet(t, 1, 2, 3)
	i, err := sysvsem.ReadInfo()
	require.NoError(t, err)
	text, err := os.ReadFile("/proc/sys/kernel/sem")
	require.NoError(t, err)
	assert.Equal(t, strings.Fields(string(text)), strings.Fields(fmt.Sprint(i.MaxInSet, i.MaxSemaphores, i.MaxOps, i.MaxSets)))
	assert.Equal(t, 32767, i.MaxValue)
	assert.Equal(t, 32767, i.MaxUndo)
	assert.Positive(t, i.Sets)
	assert.GreaterOrEqual(t, i.Semaphores, 3)
}

func TestTheListIsCompleteAndLimitsHold(t *testing.T) {
	few := ipctest.Sysctl(t, map[string]string{"kernel/sem": "32 64 10 20"})
	i, err := sysvsem.ReadInfo()
	require.NoError(t, err)
	if few {
		assert.Equal(t, sysvsem.Info{
			MaxInSet: 32, MaxSemaphores: 64, MaxOps: 10, MaxSets: 20, MaxValue: 32767, MaxUndo: 32767,
		}, i)
	}
	var made []*sysvsem.Set
	for range 20 {
		made = append(made, newSet(t, 0, 0, 0))
	}
	s, others := made[0], sysvtest.AssertListed(t, table, made)
	_, err = sysvsem.Get(sysvsem.Private, i.MaxInSet+1, 0o600)
	assert.ErrorIs(t, err, unix.EINVAL)
	assert.NoError(t, s.Do(make([]sysvsem.Op, i.MaxOps)...))
	assert.ErrorIs(t, s.Do(make([]sysvsem.Op, i.MaxOps+1)...), unix.E2BIG)
	if few {
		assert.Zero(t, others)
		_, err = sysvsem.Get(sysvsem.Private, 1, 0o600)
		assert.ErrorIs(t, err, unix.ENOSPC, "semmni")
		i.Sets, i.Semaphores = 20, 60
		now, err := sysvsem.ReadInfo()
		require.NoError(t, err)
		assert.Equal(t, i, now)
		require.NoError(t, s.Remove())
		_, err = sysvsem.Get(sysvsem.Private, 8, 0o600)
		assert.ErrorIs(t, err, unix.ENOSPC, "semmns")
	}
}

func TestSetsOfIpcmkAndForIpcrm(t *testing.T) {
	var id int
	_, err := fmt.Sscanf(ipctest.Output(t, "ipcmk", "-S", "4", "-p", "640"), "Semaphore id: %d", &id)
	require.NoError(t, err)
	s := sysvsem.Open(id)
	sysvtest.RemoveLater(t, s)
	st := sysvtest.State(t, s)
	assert.Equal(t, uint32(0o640), st.Mode)
	assert.Equal(t, 4, st.Semaphores)
	same, err := sysvsem.Get(st.Key, 4, 0)
	require.NoError(t, err)
	assert.Equal(t, id, same.ID())

	ipctest.Output(t, "ipcrm", "-s", strconv.Itoa(id))
	_, err = s.Stat()
	assert.ErrorIs(t, err, unix.EINVAL)
}

func TestKeysAreThoseOfEveryProgram(t *testing.T) {
	key, err := sysvsem.Ftok("/", 'B')
	require.NoError(t, err)
	out := ipctest.Output(t, "perl", "-e", `use IPC::SysV 'ftok'; printf "0x%08x", ftok("/", ord "B") & 0xffffffff`)
	assert.Equal(t, key.String(), out)
}

var _ = sysvtest.UserRole("use a set", table, func(u sysvtest.User, key string) *sysvsem.Set {
	n, _ := strconv.ParseInt(key, 0, 64)
	s, err := sysvsem.Get(sysvsem.Key(n), 2, 0)
	u.Expect("semget", err, "", 0)
	_, err = sysvsem.Get(sysvsem.Key(n), 2, 0o400)
	u.Expect("semget to read", err, "r", 0)
	_, err = sysvsem.Get(sysvsem.Key(n), 2, 0o200)
	u.Expect("semget to write", err, "w", 0)
	u.Expect("semop by 1", s.Do(op(0, 1)), "w", 0)
	u.Expect("semop by 0", s.Do(op(1, 0)), "r", 0)
	_, err = s.Value(0)
	u.Expect("GETVAL", err, "r", 0)
	u.Expect("SETVAL", s.SetValue(0, 7), "w", 0)
	return s
})

func TestPermissions(t *testing.T) {
	for _, user := range sysvtest.Users() {
		key := newKey()
		s, err := sysvsem.Get(key, 2, sysvsem.Create|sysvsem.Excl|user.Mode)
		require.NoError(t, err)
		sysvtest.RemoveLater(t, s)
		user.Play(t, "use a set", key.String())
	}
}
