package sysvshm_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvshm"
)

func TestStatTellsWhatHappened(t *testing.T) {
	begin := time.Now().Add(-time.Minute) // the kernel's seconds come from a clock that lags a little
	s := newSegment(t, 5000)
	st, err := s.Stat()
	require.NoError(t, err)
	assert.False(t, st.ChangedTime.Before(begin))
	want := sysvshm.Stat{
		ID: s.ID(), UID: os.Geteuid(), GID: os.Getegid(), CreatorUID: os.Geteuid(), CreatorGID: os.Getegid(),
		Mode: 0o600, Bytes: 5000, CreatorPID: os.Getpid(), ChangedTime: st.ChangedTime,
	}
	assert.Equal(t, want, st)

	memory, err := s.Attach(0)
	require.NoError(t, err)
	st, err = s.Stat()
	require.NoError(t, err)
	assert.False(t, st.AttachTime.Before(begin))
	want.Attached, want.LastPID, want.AttachTime = 1, os.Getpid(), st.AttachTime
	assert.Equal(t, want, st)

	require.NoError(t, sysvshm.Detach(memory))
	st, err = s.Stat()
	require.NoError(t, err)
	assert.False(t, st.DetachTime.Before(begin))
	want.Attached, want.DetachTime = 0, st.DetachTime
	assert.Equal(t, want, st)
}

func TestSetChangesOwnerAndModeOnly(t *testing.T) {
	s := newSegment(t, 100)
	before, err := s.Stat()
	require.NoError(t, err)
	set := before
	set.Mode = 0o640
	if os.Geteuid() == 0 {
		set.UID, set.GID = 65534, 65533
	}
	ignored := set
	ignored.CreatorUID, ignored.Bytes, ignored.Key, ignored.ID, ignored.Attached = 7, 7, 7, 7, 7
	require.NoError(t, s.Set(ignored))
	after, err := s.Stat()
	require.NoError(t, err)
	set.ChangedTime = after.ChangedTime
	assert.Equal(t, set, after)
	set.UID = -1
	assert.ErrorIs(t, s.Set(set), unix.EINVAL)
	assert.Equal(t, []string{"0", "0", "mode 644, 100 bytes, 0 attached"}, inC(t, fmt.Sprintf("id %d", s.ID()), "set 644", "stat").rest(t))
}

func TestLockedSegmentsAreShownAsSuch(t *testing.T) {
	s := newSegment(t, 100)
	require.NoError(t, s.Lock())
	st, err := s.Stat()
	require.NoError(t, err)
	assert.True(t, st.Locked)
	assert.Equal(t, []string{"0", "mode 600, 100 bytes, 0 attached, locked"}, inC(t, fmt.Sprintf("id %d", s.ID()), "stat").rest(t))
	require.NoError(t, s.Unlock())
	st, err = s.Stat()
	require.NoError(t, err)
	assert.False(t, st.Locked)
}

// procLine is what /proc/sysvipc/shm has of a segment, by the names in its heading.
func procLine(t *testing.T, id int) map[string]int {
	t.Helper()
	table, err := os.ReadFile("/proc/sysvipc/shm")
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
		if values["shmid"] == id {
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
	var segments []*sysvshm.Segment
	for i := range 5 {
		s, err := sysvshm.Get(newKey(), 1000*(i+1), sysvshm.Create|sysvshm.Excl|0o600|i)
		require.NoError(t, err)
		removeLater(t, s)
		segments = append(segments, s)
	}
	attach(t, segments[1], 0)[0] = 1
	require.NoError(t, segments[2].Remove(), "a hole in the table")

	list, err := sysvshm.List()
	require.NoError(t, err)
	ipcs := output(t, "ipcs", "-m")
	for i, segment := range segments {
		at := slices.IndexFunc(list, func(s sysvshm.Stat) bool { return s.ID == segment.ID() })
		if i == 2 {
			assert.Equal(t, -1, at)
			assert.Nil(t, procLine(t, segment.ID()))
			continue
		}
		require.NotEqual(t, -1, at)
		s, err := segment.Stat()
		require.NoError(t, err)
		assert.Equal(t, s, list[at])
		line := procLine(t, segment.ID())
		delete(line, "rss")
		delete(line, "swap")
		assert.Equal(t, map[string]int{
			"key": int(s.Key), "shmid": s.ID, "perms": int(s.Mode), "size": s.Bytes, "nattch": s.Attached,
			"cpid": s.CreatorPID, "lpid": s.LastPID, "uid": s.UID, "gid": s.GID,
			"cuid": s.CreatorUID, "cgid": s.CreatorGID,
			"atime": unixTime(s.AttachTime), "dtime": unixTime(s.DetachTime), "ctime": unixTime(s.ChangedTime),
		}, line)
		assert.Regexp(t, fmt.Sprintf(`(?m)^%s +%d +\S+ +%o +%d +%d`, s.Key, s.ID, s.Mode, s.Bytes, s.Attached), ipcs)
	}
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

var _ = ipctest.Role("list in an empty namespace", func([]string) int {
	list, err := sysvshm.List()
	if err != nil || len(list) != 0 {
		fmt.Println(list, err)
		return 10
	}
	made := map[int]bool{}
	for range 100 {
		s, err := sysvshm.Get(sysvshm.Private, 1, 0o600)
		if err != nil {
			return 11
		}
		made[s.ID()] = true
	}
	list, err = sysvshm.List()
	if err != nil || len(list) != len(made) {
		return 12
	}
	for _, s := range list {
		if !made[s.ID] {
			return 13
		}
	}
	i, err := sysvshm.ReadInfo()
	if err != nil || i.Segments != 100 || i.Pages != 100 || i.Resident != 0 || i.Swapped != 0 {
		return 14
	}
	return 0
})

func TestListIsComplete(t *testing.T) { inNamespace(t, "list in an empty namespace") }

func TestSegmentsOfIpcmkAndForIpcrm(t *testing.T) {
	var id int
	_, err := fmt.Sscanf(output(t, "ipcmk", "-M", "6000", "-p", "640"), "Shared memory id: %d", &id)
	require.NoError(t, err)
	s := sysvshm.Open(id)
	removeLater(t, s)
	st, err := s.Stat()
	require.NoError(t, err)
	assert.Equal(t, uint32(0o640), st.Mode)
	assert.Equal(t, 6000, st.Bytes)
	same, err := sysvshm.Get(st.Key, 0, 0)
	require.NoError(t, err)
	assert.Equal(t, id, same.ID())
	output(t, "ipcrm", "-m", strconv.Itoa(id))
	_, err = s.Stat()
	assert.ErrorIs(t, err, unix.EINVAL)

	key := newKey()
	_, err = sysvshm.Get(key, 1, sysvshm.Create|0o600)
	require.NoError(t, err)
	output(t, "ipcrm", "-M", key.String())
	_, err = sysvshm.Get(key, 0, 0)
	assert.ErrorIs(t, err, unix.ENOENT)
}

func TestBytesToAndFromPerl(t *testing.T) {
	key := newKey()
	s, err := sysvshm.Get(key, 100, sysvshm.Create|sysvshm.Excl|0o600)
	require.NoError(t, err)
	removeLater(t, s)
	memory := attach(t, s, 0)
	copy(memory[10:], "to perl\x00with NUL")
	out := output(t, "perl", "-we", `use strict; alarm 60;
		my $id = shmget(hex $ARGV[0], 0, 0) // die $!;
		my $text;
		shmread($id, $text, 10, 16) or die $!;
		print $text;
		shmwrite($id, "from\0perl", 50, 9) or die $!`, strings.TrimPrefix(key.String(), "0x"))
	assert.Equal(t, "to perl\x00with NUL", out)
	assert.Equal(t, "from\x00perl", string(memory[50:59]))
}
