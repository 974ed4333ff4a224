package sysvmq_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/sysv/sysvtest"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
)

func TestErrorsNameTheQueueAndTheCall(t *testing.T) {
	key := newKey()
	_, err := sysvmq.Get(key, 0)
	ipctest.IsPathError(t, err, "msgget", "System V queue "+key.String(), unix.ENOENT)
	assert.ErrorIs(t, err, fs.ErrNotExist)

	q, err := sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|0o600)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, q)
	_, err = sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|0o600)
	assert.ErrorIs(t, err, fs.ErrExist)
	name := fmt.Sprintf("System V queue %s (msqid %d)", key, q.ID())
	ipctest.IsPathError(t, q.Send(0, nil, 0), "msgsnd", name, unix.EINVAL)
	_, _, err = q.Receive(nil, 1, sysvmq.NoWait)
	ipctest.IsPathError(t, err, "msgrcv", name, unix.ENOMSG)
	require.NoError(t, q.Remove())
	ipctest.IsPathError(t, q.Remove(), "msgctl", name, unix.EINVAL)
	_, err = q.Stat()
	ipctest.IsPathError(t, err, "msgctl", name, unix.EINVAL)
	ipctest.IsPathError(t, q.Set(sysvmq.Stat{}), "msgctl", name, unix.EINVAL)
}

func TestAnIdentifierIsOpenedUnchecked(t *testing.T) {
	q := newQueue(t)
	same := sysvmq.Open(q.ID())
	assert.Equal(t, q.ID(), same.ID())
	require.NoError(t, q.Send(1, []byte("x"), 0))
	n, _, err := same.Receive(make([]byte, 1), 0, 0)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	for _, id := range []int{-1, -5, 1<<31 - 1, 1<<32 | q.ID(), -1 << 40} {
		wrong := sysvmq.Open(id)
		name := fmt.Sprintf("System V queue (msqid %d)", id)
		ipctest.IsPathError(t, wrong.Send(1, nil, 0), "msgsnd", name, unix.EINVAL)
		ipctest.IsPathError(t, wrong.Remove(), "msgctl", name, unix.EINVAL)
	}
	_, err = q.Stat()
	assert.NoError(t, err)
}

func TestKeysArePrintedAsIpcsDoes(t *testing.T) {
	assert.Equal(t, "0x00000000", sysvmq.Private.String())
	assert.Equal(t, "0x0000beef", sysvmq.Key(0xbeef).String())
	assert.Equal(t, "0xffffffff", sysvmq.Key(-1).String())
}

func TestFtokMakesTheKeyThatEveryProgramMakes(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, path := range []string{file, dir, "/"} {
		var st unix.Stat_t
		require.NoError(t, unix.Stat(path, &st))
		for _, id := range []int{0, 1, 'x', 0x57, 0xff} {
			key, err := sysvmq.Ftok(path, id)
			require.NoError(t, err)
			assert.Equal(t, uint32(id)<<24|uint32(st.Dev&0xff)<<16|uint32(st.Ino&0xffff), uint32(key))
			for _, same := range []int{id + 256, id - 256, id | 0x1234500, id - 1<<40} {
				other, err := sysvmq.Ftok(path, same)
				require.NoError(t, err)
				assert.Equal(t, key, other, "only the low 8 bits of %d count", same)
			}
			out := inC(t, fmt.Sprintf("ftok %s %d", path, id)).Rest()
			assert.Equal(t, key.String(), out[0], "C")
			if id != 0 { // which perl takes for none given
				assert.Equal(t, key.String(), perl(t, `use IPC::SysV 'ftok'; printf "0x%08x", ftok($ARGV[0], $ARGV[1] + 0) & 0xffffffff`, path, strconv.Itoa(id)))
			}
		}
	}
}

func perl(t *testing.T, script string, args ...string) string {
	t.Helper()
	return ipctest.Output(t, "perl", append([]string{"-we", "use strict; " + script, "--"}, args...)...)
}

func TestFtokNeedsAFileThatIsThere(t *testing.T) {
	dir := t.TempDir()
	for path, errno := range map[string]syscall.Errno{
		filepath.Join(dir, "none"):             unix.ENOENT,
		"":                                     unix.ENOENT,
		"/dev/null/x":                          unix.ENOTDIR,
		filepath.Join(dir, "a\x00b"):           unix.EINVAL,
		"/" + strings.Repeat("n", 300):         unix.ENAMETOOLONG,
		filepath.Join(dir, "dangling", "link"): unix.ENOENT,
	} {
		key, err := sysvmq.Ftok(path, 1)
		ipctest.IsPathError(t, err, "ftok", path, errno)
		assert.Zero(t, key)
	}
}

func TestManyWhoCreateGetOneQueue(t *testing.T) {
	key := newKey()
	sysvtest.AssertOneIsMade(t, func() (*sysvmq.Queue, error) { return sysvmq.Get(key, sysvmq.Create|0o600) })
}

var _ = sysvtest.UserRole("use a queue", table, func(u sysvtest.User, key string) *sysvmq.Queue {
	n, _ := strconv.ParseInt(key, 0, 64)
	q, err := sysvmq.Get(sysvmq.Key(n), 0)
	u.Expect("msgget", err, "", 0)
	_, err = sysvmq.Get(sysvmq.Key(n), 0o400)
	u.Expect("msgget to read", err, "r", 0)
	_, err = sysvmq.Get(sysvmq.Key(n), 0o200)
	u.Expect("msgget to write", err, "w", 0)
	u.Expect("msgsnd", q.Send(1, nil, sysvmq.NoWait), "w", 0)
	_, _, err = q.Receive(nil, 99, sysvmq.NoWait)
	u.Expect("msgrcv", err, "r", unix.ENOMSG)
	return q
})

func TestPermissions(t *testing.T) {
	for _, user := range sysvtest.Users() {
		key := newKey()
		q, err := sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|user.Mode)
		require.NoError(t, err)
		sysvtest.RemoveLater(t, q)
		user.Play(t, "use a queue", key.String())
	}
}

func TestTheUmaskDoesNotCount(t *testing.T) {
	umask := unix.Umask(0o777)
	q, err := sysvmq.Get(sysvmq.Private, 0o666)
	unix.Umask(umask)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, q)
	assert.Equal(t, uint32(0o666), sysvtest.State(t, q).Mode)
}

func TestLimitsOfTheSystem(t *testing.T) {
	few := ipctest.Sysctl(t, map[string]string{"kernel/msgmni": "3", "kernel/msgmax": "100", "kernel/msgmnb": "200"})
	i, err := sysvmq.ReadInfo()
	require.NoError(t, err)
	if few {
		assert.Equal(t, sysvmq.Info{MaxMessage: 100, MaxQueueBytes: 200, MaxQueues: 3}, i)
	}
	q := newQueue(t)
	assert.ErrorIs(t, q.Send(1, make([]byte, i.MaxMessage+1), 0), unix.EINVAL)
	require.NoError(t, q.Send(1, make([]byte, i.MaxMessage), 0))
	assert.Equal(t, i.MaxQueueBytes, sysvtest.State(t, q).MaxBytes)
	if few {
		newQueue(t)
		newQueue(t)
		_, err := sysvmq.Get(sysvmq.Private, 0o600)
		assert.ErrorIs(t, err, unix.ENOSPC)
		i.Queues, i.Messages, i.Bytes = 3, 1, 100
		now, err := sysvmq.ReadInfo()
		require.NoError(t, err)
		assert.Equal(t, i, now)
	}
}

func TestMessagesOverTheLimitOfRawCallsToo(t *testing.T) {
	const size = 200_000
	sent, got := []byte(strings.Repeat("7", size)), make([]byte, size)
	large := ipctest.Sysctl(t, map[string]string{"kernel/msgmax": "200000", "kernel/msgmnb": "200000"})
	q := newQueue(t)
	if !large {
		// No queue takes such messages, but a buffer may have that size.
		assert.ErrorIs(t, q.Send(1, sent, 0), unix.EINVAL)
		_, _, err := q.Receive(got, 0, sysvmq.NoWait)
		assert.ErrorIs(t, err, unix.ENOMSG)
		require.NoError(t, q.Send(1, sent[:8], 0))
		n, _, err := q.Receive(got, 0, 0)
		require.NoError(t, err)
		assert.Equal(t, sent[:8], got[:n])
		return
	}
	for range 3 {
		require.NoError(t, q.Send(1, sent, 0))
		require.ErrorIs(t, q.Send(1, sent, sysvmq.NoWait), unix.EAGAIN)
		done := make(chan error)
		go func() { done <- q.SendContext(t.Context(), 2, sent, 0) }()
		for _, want := range []int64{1, 2} {
			n, mtype, err := q.Receive(got, 0, 0)
			require.NoError(t, err)
			assert.Equal(t, want, mtype)
			assert.True(t, string(sent) == string(got[:n]))
			clear(got)
		}
		require.NoError(t, <-done)
		_, _, err := q.Receive(got, 0, sysvmq.NoWait)
		assert.ErrorIs(t, err, unix.ENOMSG)
	}
}
