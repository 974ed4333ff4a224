package sysvmq_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/sysv/sysvtest"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
)

func TestStatTellsWhatHappened(t *testing.T) {
	begin := time.Now().Add(-time.Minute) // the kernel's seconds come from a clock that lags a little
	q := newQueue(t)
	info, err := sysvmq.ReadInfo()
	require.NoError(t, err)
	s := sysvtest.State(t, q)
	assert.False(t, s.Changed.Before(begin))
	want := sysvmq.Stat{
		ID: q.ID(), UID: os.Geteuid(), GID: os.Getegid(), CreatorUID: os.Geteuid(), CreatorGID: os.Getegid(),
		Mode: 0o600, MaxBytes: info.MaxQueueBytes, Changed: s.Changed,
	}
	assert.Equal(t, want, s)

	require.NoError(t, q.Send(1, []byte("12345"), 0))
	require.NoError(t, q.Send(2, []byte("678"), 0))
	s = sysvtest.State(t, q)
	assert.False(t, s.Sent.Before(begin))
	want.Messages, want.Bytes, want.LastSender, want.Sent = 2, 8, os.Getpid(), s.Sent
	assert.Equal(t, want, s)

	_, _, err = q.Receive(make([]byte, 9), 2, 0)
	require.NoError(t, err)
	s = sysvtest.State(t, q)
	assert.False(t, s.Received.Before(begin))
	want.Messages, want.Bytes, want.LastReceiver, want.Received = 1, 5, os.Getpid(), s.Received
	assert.Equal(t, want, s)
}

func TestSetChangesOwnerModeAndSizeOnly(t *testing.T) {
	q := newQueue(t)
	before := sysvtest.State(t, q)
	set := before
	set.Mode, set.MaxBytes = 0o640, before.MaxBytes/2
	if os.Geteuid() == 0 {
		set.UID, set.GID = 65534, 65533
	}
	ignored := set
	ignored.CreatorUID, ignored.Messages, ignored.Key, ignored.ID = 7, 7, 7, 7
	require.NoError(t, q.Set(ignored))
	after := sysvtest.State(t, q)
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

var table = sysvtest.Table[sysvmq.Stat]{
	List: sysvmq.List,
	ID:   func(s sysvmq.Stat) int { return s.ID },
	Proc: "msg",
	Flag: "-q",
	Shown: func(s sysvmq.Stat) (row map[string]int, line string) {
		return map[string]int{
			"key": int(s.Key), "msqid": s.ID, "perms": int(s.Mode), "cbytes": s.Bytes, "qnum": s.Messages,
			"lspid": s.LastSender, "lrpid": s.LastReceiver, "uid": s.UID, "gid": s.GID,
			"cuid": s.CreatorUID, "cgid": s.CreatorGID,
			"stime": ipctest.SystemVTime(s.Sent), "rtime": ipctest.SystemVTime(s.Received), "ctime": ipctest.SystemVTime(s.Changed),
		}, fmt.Sprintf(`%s +%d +\S+ +%o +%d +%d`, s.Key, s.ID, s.Mode, s.Bytes, s.Messages)
	},
}

func TestStatAndListAgreeWithProcAndIpcs(t *testing.T) {
	var queues []*sysvmq.Queue
	for i := range 5 {
		q, err := sysvmq.Get(newKey(), sysvmq.Create|sysvmq.Excl|0o600|i)
		require.NoError(t, err)
		sysvtest.RemoveLater(t, q)
		queues = append(queues, q)
	}
	require.NoError(t, queues[1].Send(1, []byte("abc"), 0))
	require.NoError(t, queues[3].Send(1, nil, 0))
	_, _, err := queues[3].Receive(nil, 0, 0)
	require.NoError(t, err)
	sysvtest.AssertShown(t, table, queues)
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
	var made []*sysvmq.Queue
	for range 100 {
		made = append(made, newQueue(t))
	}
	others := sysvtest.AssertListed(t, table, made)
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
	sysvtest.RemoveLater(t, q)
	s := sysvtest.State(t, q)
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
