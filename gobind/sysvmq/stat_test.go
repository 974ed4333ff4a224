package sysvmq_test

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
)

func TestStatTellsWhatHappened(t *testing.T) {
	begin := time.Now().Add(-time.Minute) // the kernel's seconds come from a clock that lags a little
	q := newQueue(t)
	info, err := sysvmq.ReadInfo()
	require.NoError(t, err)
	s, err := q.Stat()
	require.NoError(t, err)
	assert.False(t, s.Changed.Before(begin))
	want := sysvmq.Stat{
		ID: q.ID(), UID: os.Geteuid(), GID: os.Getegid(), CreatorUID: os.Geteuid(), CreatorGID: os.Getegid(),
		Mode: 0o600, MaxBytes: info.MaxQueueBytes, Changed: s.Changed,
	}
	assert.Equal(t, want, s)

	require.NoError(t, q.Send(1, []byte("12345"), 0))
	require.NoError(t, q.Send(2, []byte("678"), 0))
	s, err = q.Stat()
	require.NoError(t, err)
	assert.False(t, s.Sent.Before(begin))
	want.Messages, want.Bytes, want.LastSender, want.Sent = 2, 8, os.Getpid(), s.Sent
	assert.Equal(t, want, s)

	_, _, err = q.Receive(make([]byte, 9), 2, 0)
	require.NoError(t, err)
	s, err = q.Stat()
	require.NoError(t, err)
	assert.False(t, s.Received.Before(begin))
	want.Messages, want.Bytes, want.LastReceiver, want.Received = 1, 5, os.Getpid(), s.Received
	assert.Equal(t, want, s)
}

func TestSetChangesOwnerModeAndSizeOnly(t *testing.T) {
	q := newQueue(t)
	before, err := q.Stat()
	require.NoError(t, err)
	set := before
	set.Mode, set.MaxBytes = 0o640, before.MaxBytes/2
	if os.Geteuid() == 0 {
		set.UID, set.GID = 65534, 65533
	}
	ignored := set
	ignored.CreatorUID, ignored.Messages, ignored.Key, ignored.ID = 7, 7, 7, 7
	require.NoError(t, q.Set(ignored))
	after, err := q.Stat()
	require.NoError(t, err)
	set.Changed = after.Changed
	assert.Equal(t, set, after)
	assert.False(t, after.Changed.Before(before.Changed))
	set.UID = -1
	assert.ErrorIs(t, q.Set(set), unix.EINVAL)
}

var _ = ipctest.Role("set more than allowed", func([]string) int {
	runtime.LockOSThread()
	if ipctest.Drop(unix.CAP_SYS_RESOURCE) != nil {
		return 10
	}
	q, err := sysvmq.Get(sysvmq.Private, 0o600)
	if err != nil {
		return 12
	}
	defer q.Remove()
	s, err := q.Stat()
	if err != nil {
		return 13
	}
	s.MaxBytes++
	if err := q.Set(s); ipctest.Errno(err) != unix.EPERM {
		fmt.Println(err)
		return 14
	}
	return 0
})

func TestWithoutPrivilegeAQueueIsNotMadeLargerThanTheLimit(t *testing.T) {
	out, err := ipctest.Command(t, "set more than allowed").CombinedOutput()
	assert.NoError(t, err, string(out))
}

func TestStatAndListAgreeWithProcAndIpcs(t *testing.T) {
	var queues []*sysvmq.Queue
	for i := range 5 {
		q, err := sysvmq.Get(newKey(), sysvmq.Create|sysvmq.Excl|0o600|i)
		require.NoError(t, err)
		removeLater(t, q)
		queues = append(queues, q)
	}
	require.NoError(t, queues[1].Send(1, []byte("abc"), 0))
	require.NoError(t, queues[3].Send(1, nil, 0))
	_, _, err := queues[3].Receive(nil, 0, 0)
	require.NoError(t, err)
	require.NoError(t, queues[2].Remove(), "a hole in the table")

	list, err := sysvmq.List()
	require.NoError(t, err)
	ipcs := ipctest.Output(t, "ipcs", "-q")
	for i, q := range queues {
		at := slices.IndexFunc(list, func(s sysvmq.Stat) bool { return s.ID == q.ID() })
		if i == 2 {
			assert.Equal(t, -1, at)
			assert.Nil(t, ipctest.SystemV(t, "msg", q.ID()))
			continue
		}
		require.NotEqual(t, -1, at)
		s, err := q.Stat()
		require.NoError(t, err)
		assert.Equal(t, s, list[at])
		assert.Equal(t, map[string]int{
			"key": int(s.Key), "msqid": s.ID, "perms": int(s.Mode), "cbytes": s.Bytes, "qnum": s.Messages,
			"lspid": s.LastSender, "lrpid": s.LastReceiver, "uid": s.UID, "gid": s.GID,
			"cuid": s.CreatorUID, "cgid": s.CreatorGID,
			"stime": ipctest.SystemVTime(s.Sent), "rtime": ipctest.SystemVTime(s.Received), "ctime": ipctest.SystemVTime(s.Changed),
		}, ipctest.SystemV(t, "msg", q.ID()))
		assert.Regexp(t, fmt.Sprintf(`(?m)^%s +%d +\S+ +%o +%d +%d`, s.Key, s.ID, s.Mode, s.Bytes, s.Messages), ipcs)
	}
}

func TestInfoAgreesWithSysctlAndTheList(t *testing.T) {
	q := newQueue(t)
	require.NoError(t, q.Send(1, []byte("abc"), 0))
	i, err := sysvmq.ReadInfo()
	require.NoError(t, err)
	for name, value := range map[string]int{"msgmax": i.MaxMessage, "msgmnb": i.MaxQueueBytes, "msgmni": i.MaxQueues} {
		text, err := os.ReadFile("/proc/sys/kernel/" + name)
		require.NoError(t, err)
		assert.Equal(t, strings.TrimSpace(string(text)), strconv.Itoa(value), name)
	}
	assert.Positive(t, i.Queues)
	assert.Positive(t, i.Messages)
	assert.GreaterOrEqual(t, i.Bytes, 3)
}

func TestListIsComplete(t *testing.T) {
	made := map[int]bool{}
	for range 100 {
		made[newQueue(t).ID()] = true
	}
	list, err := sysvmq.List()
	require.NoError(t, err)
	others := 0
	for _, s := range list {
		if !made[s.ID] {
			others++
		}
	}
	assert.Equal(t, 100, len(list)-others)
	if ipctest.Isolated() {
		assert.Zero(t, others)
		i, err := sysvmq.ReadInfo()
		require.NoError(t, err)
		assert.Equal(t, []int{100, 0, 0}, []int{i.Queues, i.Messages, i.Bytes})
	}
}

func TestQueuesOfIpcmkAndForIpcrm(t *testing.T) {
	var id int
	_, err := fmt.Sscanf(ipctest.Output(t, "ipcmk", "-Q", "-p", "640"), "Message queue id: %d", &id)
	require.NoError(t, err)
	q := sysvmq.Open(id)
	removeLater(t, q)
	s, err := q.Stat()
	require.NoError(t, err)
	assert.Equal(t, uint32(0o640), s.Mode)
	same, err := sysvmq.Get(s.Key, 0)
	require.NoError(t, err)
	assert.Equal(t, id, same.ID())
	require.NoError(t, same.Send(1, []byte("for ipcmk"), 0))

	ipctest.Output(t, "ipcrm", "-q", strconv.Itoa(id))
	_, err = q.Stat()
	assert.ErrorIs(t, err, unix.EINVAL)

	key := newKey()
	_, err = sysvmq.Get(key, sysvmq.Create|0o600)
	require.NoError(t, err)
	ipctest.Output(t, "ipcrm", "-Q", key.String())
	_, err = sysvmq.Get(key, 0)
	assert.ErrorIs(t, err, unix.ENOENT)
}
