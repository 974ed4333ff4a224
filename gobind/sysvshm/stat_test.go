package sysvshm_test

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
	"unpipc/gobind/sysvshm"
)

func TestStatTellsWhatHappened(t *testing.T) {
	begin := time.Now().Add(-time.Minute) // the kernel's seconds come from a clock that lags a little
	s := newSegment(t, 5000)
	st := sysvtest.State(t, s)
	assert.False(t, st.ChangedTime.Before(begin))
	want := sysvshm.Stat{
		ID: s.ID(), UID: os.Geteuid(), GID: os.Getegid(), CreatorUID: os.Geteuid(), CreatorGID: os.Getegid(),
		Mode: 0o600, Bytes: 5000, CreatorPID: os.Getpid(), ChangedTime: st.ChangedTime,
	}
	assert.Equal(t, want, st)

	memory, err := s.Attach(0)
	require.NoError(t, err)
	st = sysvtest.State(t, s)
	assert.False(t, st.AttachTime.Before(begin))
	want.Attached, want.LastPID, want.AttachTime = 1, os.Getpid(), st.AttachTime
	assert.Equal(t, want, st)

	require.NoError(t, sysvshm.Detach(memory))
	st = sysvtest.State(t, s)
	assert.False(t, st.DetachTime.Before(begin))
	want.Attached, want.DetachTime = 0, st.DetachTime
	assert.Equal(t, want, st)
}

func TestSetChangesOwnerAndModeOnly(t *testing.T) {
	s := newSegment(t, 100)
	before := sysvtest.State(t, s)
	set := before
	set.Mode = 0o640
	if os.Geteuid() == 0 {
		set.UID, set.GID = 65534, 65533
	}
	ignored := set
	ignored.CreatorUID, ignored.Bytes, ignored.Key, ignored.ID, ignored.Attached = 7, 7, 7, 7, 7
	require.NoError(t, s.Set(ignored))
	after := sysvtest.State(t, s)
	set.ChangedTime = after.ChangedTime
	assert.Equal(t, set, after)
	set.UID = -1
	assert.ErrorIs(t, s.Set(set), unix.EINVAL)
	assert.Equal(t, []string{"0", "0", "mode 644, 100 bytes, 0 attached"}, inC(t, fmt.Sprintf("id %d", s.ID()), "set 644", "stat").Rest())
}

func TestLockedSegmentsAreShownAsSuch(t *testing.T) {
	s := newSegment(t, 100)
	require.NoError(t, s.Lock())
	st := sysvtest.State(t, s)
	assert.True(t, st.Locked)
	assert.Equal(t, []string{"0", "mode 600, 100 bytes, 0 attached, locked"}, inC(t, fmt.Sprintf("id %d", s.ID()), "stat").Rest())
	require.NoError(t, s.Unlock())
	assert.False(t, sysvtest.State(t, s).Locked)
}

var table = sysvtest.Table[sysvshm.Stat]{
	List: sysvshm.List,
	ID:   func(s sysvshm.Stat) int { return s.ID },
	Proc: "shm",
	Flag: "-m",
	Shown: func(s sysvshm.Stat) (row map[string]int, line string) {
		return map[string]int{
			"key": int(s.Key), "shmid": s.ID, "perms": int(s.Mode), "size": s.Bytes, "nattch": s.Attached,
			"cpid": s.CreatorPID, "lpid": s.LastPID, "uid": s.UID, "gid": s.GID,
			"cuid": s.CreatorUID, "cgid": s.CreatorGID,
			"atime": ipctest.SystemVTime(s.AttachTime), "dtime": ipctest.SystemVTime(s.DetachTime), "ctime": ipctest.SystemVTime(s.ChangedTime),
		}, fmt.Sprintf(`%s +%d +\S+ +%o +%d +%d`, s.Key, s.ID, s.Mode, s.Bytes, s.Attached)
	},
}

func TestStatAndListAgreeWithProcAndIpcs(t *testing.T) {
	var segments []*sysvshm.Segment
	for i := range 5 {
		s, err := sysvshm.Get(newKey(), 1000*(i+1), sysvshm.Create|sysvshm.Excl|0o600|i)
		require.NoError(t, err)
		sysvtest.RemoveLater(t, s)
		segments = append(segments, s)
	}
	attach(t, segments[1], 0)[0] = 1
	sysvtest.AssertShown(t, table, segments)
}

func TestInfoAgreesWithSysctlAndTheList(t *testing.T) {
	s := newSegment(t, 10000)
	attach(t, s, 0)[0] = 1
	i, err := sysvshm.ReadInfo()
	require.NoError(t, err)
	for name, value := range map[string]uint64{"shmmax": i.MaxBytes, "shmmni": uint64(i.MaxSegments), "shmall": i.MaxPages} {
		text, err := os.ReadFile("/proc/sys/kernel/" + name)
		require.NoError(t, err)
		assert.Equal(t, strings.TrimSpace(string(text)), strconv.FormatUint(value, 10), name)
	}
	assert.Positive(t, i.Segments)
	assert.GreaterOrEqual(t, i.Pages, 3)
	assert.Positive(t, i.Resident)
}

func TestListIsComplete(t *testing.T) {
	var made []*sysvshm.Segment
	for range 100 {
		made = append(made, newSegment(t, 1))
	}
	others := sysvtest.AssertListed(t, table, made)
	if ipctest.Isolated() {
		assert.Zero(t, others)
		i, err := sysvshm.ReadInfo()
		require.NoError(t, err)
		assert.Equal(t, []int{100, 100, 0, 0}, []int{i.Segments, i.Pages, i.Resident, i.Swapped})
	}
}

func TestSegmentsOfIpcmkAndForIpcrm(t *testing.T) {
	var id int
	_, err := fmt.Sscanf(ipctest.Output(t, "ipcmk", "-M", "6000", "-p", "640"), "Shared memory id: %d", &id)
	require.NoError(t, err)
	s := sysvshm.Open(id)
	sysvtest.RemoveLater(t, s)
	st := sysvtest.State(t, s)
	assert.Equal(t, uint32(0o640), st.Mode)
	assert.Equal(t, 6000, st.Bytes)
	same, err := sysvshm.Get(st.Key, 0, 0)
	require.NoError(t, err)
	assert.Equal(t, id, same.ID())
	ipctest.Output(t, "ipcrm", "-m", strconv.Itoa(id))
	_, err = s.Stat()
	assert.ErrorIs(t, err, unix.EINVAL)

	key := newKey()
	_, err = sysvshm.Get(key, 1, sysvshm.Create|0o600)
	require.NoError(t, err)
	ipctest.Output(t, "ipcrm", "-M", key.String())
	_, err = sysvshm.Get(key, 0, 0)
	assert.ErrorIs(t, err, unix.ENOENT)
}

func TestBytesToAndFromPerl(t *testing.T) {
	key := newKey()
	s, err := sysvshm.Get(key, 100, sysvshm.Create|sysvshm.Excl|0o600)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, s)
	memory := attach(t, s, 0)
	copy(memory[10:], "to perl\x00with NUL")
	out := ipctest.Output(t, "perl", "-we", `use strict;
		my $id = shmget(hex $ARGV[0], 0, 0) // die $!;
		my $text;
		shmread($id, $text, 10, 16) or die $!;
		print $text;
		shmwrite($id, "from\0perl", 50, 9) or die $!`, strings.TrimPrefix(key.String(), "0x"))
	assert.Equal(t, "to perl\x00with NUL", out)
	assert.Equal(t, "from\x00perl", string(memory[50:59]))
}
