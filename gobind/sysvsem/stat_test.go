package sysvsem_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvsem"
)

func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	_, err := exec.LookPath(program)
	ipctest.Require(t, err == nil, program)
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

func TestStatTellsWhatHappened(t *testing.T) {
	begin := time.Now().Add(-time.Minute) // the kernel's seconds come from a clock that lags a little
	s := newSet(t, 0, 0)
	st, err := s.Stat()
	require.NoError(t, err)
	assert.False(t, st.Changed.Before(begin))
	want := sysvsem.Stat{
		ID: s.ID(), UID: os.Geteuid(), GID: os.Getegid(), CreatorUID: os.Geteuid(), CreatorGID: os.Getegid(),
		Mode: 0o600, Semaphores: 2, Changed: st.Changed,
	}
	assert.Equal(t, want, st)
	require.NoError(t, s.Do(op(0, 1)))
	st, err = s.Stat()
	require.NoError(t, err)
	assert.False(t, st.Operated.Before(begin))
	want.Operated = st.Operated
	assert.Equal(t, want, st)
}

func TestSetChangesOwnerAndModeOnly(t *testing.T) {
	s := newSet(t, 1)
	st, err := s.Stat()
	require.NoError(t, err)
	want := st
	want.Mode = 0o640
	if os.Geteuid() == 0 {
		want.UID, want.GID = 65534, 65533
	}
	ignored := want
	ignored.CreatorUID, ignored.Semaphores, ignored.Key, ignored.ID = 7, 7, 7, 7
	require.NoError(t, s.Set(ignored))
	got, err := s.Stat()
	require.NoError(t, err)
	want.Changed = got.Changed
	assert.Equal(t, want, got)
	want.UID = -1
	assert.ErrorIs(t, s.Set(want), unix.EINVAL)
}

// procLine is what /proc/sysvipc/sem has of a set, by the names in its heading.
func procLine(t *testing.T, id int) map[string]int {
	t.Helper()
	table, err := os.ReadFile("/proc/sysvipc/sem")
	require.NoError(t, err)
	rows := strings.Split(strings.TrimSpace(string(table)), "\n")
	names := strings.Fields(rows[0])
	for _, row := range rows[1:] {
		values := map[string]int{}
		for i, text := range strings.Fields(row) {
			base := 10
			if names[i] == "perms" {
				base = 8
			}
			n, err := strconv.ParseInt(text, base, 64)
			require.NoError(t, err)
			values[names[i]] = int(n)
		}
		if values["semid"] == id {
			return values
		}
	}
	return nil
}

func unixTime(t time.Time) int {
	if t.IsZero() {
		return 0
	}
	return int(t.Unix())
}

func TestStatAndListAgreeWithProcAndIpcs(t *testing.T) {
	var sets []*sysvsem.Set
	for i := range 5 {
		s, err := sysvsem.Get(newKey(), i+1, sysvsem.Create|sysvsem.Excl|0o600|i)
		require.NoError(t, err)
		removeLater(t, s)
		sets = append(sets, s)
	}
	require.NoError(t, sets[1].Do(op(0, 1)))
	require.NoError(t, sets[2].Remove(), "a hole in the table")

	list, err := sysvsem.List()
	require.NoError(t, err)
	ipcs := output(t, "ipcs", "-s")
	for i, s := range sets {
		at := slices.IndexFunc(list, func(st sysvsem.Stat) bool { return st.ID == s.ID() })
		if i == 2 {
			assert.Equal(t, -1, at)
			assert.Nil(t, procLine(t, s.ID()))
			continue
		}
		require.NotEqual(t, -1, at)
		st, err := s.Stat()
		require.NoError(t, err)
		assert.Equal(t, st, list[at])
		assert.Equal(t, map[string]int{
			"key": int(st.Key), "semid": st.ID, "perms": int(st.Mode), "nsems": st.Semaphores,
			"uid": st.UID, "gid": st.GID, "cuid": st.CreatorUID, "cgid": st.CreatorGID,
			"otime": unixTime(st.Operated), "ctime": unixTime(st.Changed),
		}, procLine(t, s.ID()))
		assert.Regexp(t, fmt.Sprintf(`(?m)^%s +%d +\S+ +%o +%d`, st.Key, st.ID, st.Mode, st.Semaphores), ipcs)
	}
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

var _ = ipctest.Role("in an empty namespace", func([]string) int {
	list, err := sysvsem.List()
	if err != nil || len(list) != 0 {
		fmt.Println(list, err)
		return 10
	}
	if os.WriteFile("/proc/sys/kernel/sem", []byte("32 64 10 20"), 0) != nil {
		return 11
	}
	for i := range 20 {
		if _, err := sysvsem.Get(sysvsem.Private, 3, 0o600); err != nil {
			fmt.Println(i, err)
			return 12
		}
	}
	if _, err := sysvsem.Get(sysvsem.Private, 1, 0o600); errnoOf(err) != unix.ENOSPC {
		return 13 // semmni
	}
	list, err = sysvsem.List()
	i, infoErr := sysvsem.ReadInfo()
	if err != nil || infoErr != nil || len(list) != 20 || i.Sets != 20 || i.Semaphores != 60 || i.MaxSets != 20 {
		fmt.Println(len(list), i)
		return 14
	}
	if sysvsem.Open(list[0].ID).Remove() != nil {
		return 15
	}
	if _, err := sysvsem.Get(sysvsem.Private, 8, 0o600); errnoOf(err) != unix.ENOSPC {
		return 16 // semmns
	}
	if _, err := sysvsem.Get(sysvsem.Private, 33, 0o600); errnoOf(err) != unix.EINVAL {
		return 17 // semmsl
	}
	s := sysvsem.Open(list[1].ID)
	if s.Do(make([]sysvsem.Op, 10)...) != nil || errnoOf(s.Do(make([]sysvsem.Op, 11)...)) != unix.E2BIG {
		return 18 // semopm
	}
	return 0
})

func TestTheListIsCompleteAndLimitsHold(t *testing.T) {
	inNamespace(t, "in an empty namespace")
}

func TestSetsOfIpcmkAndForIpcrm(t *testing.T) {
	var id int
	_, err := fmt.Sscanf(output(t, "ipcmk", "-S", "4", "-p", "640"), "Semaphore id: %d", &id)
	require.NoError(t, err)
	s := sysvsem.Open(id)
	removeLater(t, s)
	st, err := s.Stat()
	require.NoError(t, err)
	assert.Equal(t, uint32(0o640), st.Mode)
	assert.Equal(t, 4, st.Semaphores)
	same, err := sysvsem.Get(st.Key, 4, 0)
	require.NoError(t, err)
	assert.Equal(t, id, same.ID())

	output(t, "ipcrm", "-s", strconv.Itoa(id))
	_, err = s.Stat()
	assert.ErrorIs(t, err, unix.EINVAL)
}

func TestKeysAreThoseOfEveryProgram(t *testing.T) {
	key, err := sysvsem.Ftok("/", 'B')
	require.NoError(t, err)
	_, err = exec.LookPath("perl")
	ipctest.Require(t, err == nil, "perl")
	out := output(t, "perl", "-e", `use IPC::SysV 'ftok'; printf "0x%08x", ftok("/", ord "B") & 0xffffffff`)
	assert.Equal(t, key.String(), out)
}
