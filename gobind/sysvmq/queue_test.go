package sysvmq_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
)

func TestErrorsNameTheQueueAndTheCall(t *testing.T) {
	key := newKey()
	_, err := sysvmq.Get(key, 0)
	isPath(t, err, "msgget", "System V queue "+key.String(), unix.ENOENT)
	assert.ErrorIs(t, err, fs.ErrNotExist)

	q, err := sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|0o600)
	require.NoError(t, err)
	removeLater(t, q)
	_, err = sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|0o600)
	assert.ErrorIs(t, err, fs.ErrExist)
	name := fmt.Sprintf("System V queue %s (msqid %d)", key, q.ID())
	isPath(t, q.Send(0, nil, 0), "msgsnd", name, unix.EINVAL)
	_, _, err = q.Receive(nil, 1, sysvmq.NoWait)
	isPath(t, err, "msgrcv", name, unix.ENOMSG)
	require.NoError(t, q.Remove())
	isPath(t, q.Remove(), "msgctl", name, unix.EINVAL)
	_, err = q.Stat()
	isPath(t, err, "msgctl", name, unix.EINVAL)
	isPath(t, q.Set(sysvmq.Stat{}), "msgctl", name, unix.EINVAL)
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
		isPath(t, wrong.Send(1, nil, 0), "msgsnd", name, unix.EINVAL)
		isPath(t, wrong.Remove(), "msgctl", name, unix.EINVAL)
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
			out := inC(t, fmt.Sprintf("ftok %s %d", path, id))()
			assert.Equal(t, key.String(), out[0], "C")
			if id != 0 { // which perl takes for none given
				assert.Equal(t, key.String(), perl(t, `use IPC::SysV 'ftok'; printf "0x%08x", ftok($ARGV[0], $ARGV[1] + 0) & 0xffffffff`, path, strconv.Itoa(id)))
			}
		}
	}
}

func perl(t *testing.T, script string, args ...string) string {
	t.Helper()
	_, err := exec.LookPath("perl")
	ipctest.Require(t, err == nil, "perl")
	cmd := exec.CommandContext(t.Context(), "perl", append([]string{"-we", "use strict; alarm 60; " + script, "--"}, args...)...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
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
		isPath(t, err, "ftok", path, errno)
		assert.Zero(t, key)
	}
}

func TestManyWhoCreateGetOneQueue(t *testing.T) {
	key := newKey()
	var creating sync.WaitGroup
	ids := make([]int, 20)
	for i := range ids {
		creating.Go(func() {
			q, err := sysvmq.Get(key, sysvmq.Create|0o600)
			if assert.NoError(t, err) {
				ids[i] = q.ID()
			}
		})
	}
	creating.Wait()
	removeLater(t, sysvmq.Open(ids[0]))
	for _, id := range ids {
		assert.Equal(t, ids[0], id)
	}
}

var _ = ipctest.Role("use what is another's", func(args []string) int {
	n, _ := strconv.ParseInt(args[0], 0, 64)
	may := args[1] // "r", "w", both or none
	key := sysvmq.Key(n)
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
	r, w := strings.Contains(may, "r"), strings.Contains(may, "w")
	q, err := sysvmq.Get(key, 0)
	if err != nil {
		fmt.Println(err)
		return 11
	}
	_, err = sysvmq.Get(key, 0o400)
	expect("msgget to read", err, r, unix.EACCES)
	_, err = sysvmq.Get(key, 0o200)
	expect("msgget to write", err, w, unix.EACCES)
	expect("msgsnd", q.Send(1, nil, sysvmq.NoWait), w, unix.EACCES)
	if _, _, err = q.Receive(nil, 99, sysvmq.NoWait); r != (errnoOf(err) == unix.ENOMSG) || !r && errnoOf(err) != unix.EACCES {
		fmt.Println("msgrcv", err)
		return 12
	}
	s, err := q.Stat()
	expect("IPC_STAT", err, r, unix.EACCES)
	s.Mode = 0o666
	expect("IPC_SET", q.Set(s), false, unix.EPERM)
	expect("IPC_RMID", q.Remove(), false, unix.EPERM)
	all, err := sysvmq.List()
	if err != nil {
		return 13
	}
	for _, one := range all {
		if one.ID == q.ID() {
			return 0 // listed, whatever its mode
		}
	}
	return 14
})

func TestPermissions(t *testing.T) {
	ipctest.Require(t, os.Geteuid() == 0, "root, to be somebody else")
	for may, mode := range map[string]int{"": 0o600, "r": 0o604, "w": 0o602, "rw": 0o606} {
		key := newKey()
		q, err := sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|mode)
		require.NoError(t, err)
		removeLater(t, q)
		cmd := ipctest.Command(t, "use what is another's", key.String(), may)
		cmd.Path = "/proc/self/exe"
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
		out, err := cmd.CombinedOutput()
		assert.NoError(t, err, string(out))
	}
}

var _ = ipctest.Role("make without umask", func(args []string) int {
	unix.Umask(0o777)
	q, err := sysvmq.Get(sysvmq.Private, 0o666)
	if err != nil {
		return 10
	}
	defer q.Remove()
	if s, err := q.Stat(); err != nil || s.Mode != 0o666 {
		fmt.Println(s, err)
		return 11
	}
	return 0
})

func TestTheUmaskDoesNotCount(t *testing.T) {
	out, err := ipctest.Command(t, "make without umask").CombinedOutput()
	assert.NoError(t, err, string(out))
}

var _ = ipctest.Role("make too many", func([]string) int {
	for name, value := range map[string]string{"msgmni": "3", "msgmax": "100", "msgmnb": "200"} {
		if err := os.WriteFile("/proc/sys/kernel/"+name, []byte(value), 0); err != nil {
			fmt.Println(err)
			return 10
		}
	}
	i, err := sysvmq.ReadInfo()
	if err != nil || i != (sysvmq.Info{MaxMessage: 100, MaxQueueBytes: 200, MaxQueues: 3}) {
		fmt.Println(i, err)
		return 11
	}
	var q *sysvmq.Queue
	for i := range 4 {
		made, err := sysvmq.Get(sysvmq.Key(100+i), sysvmq.Create|0o600)
		if want := map[bool]syscall.Errno{true: unix.ENOSPC}[i == 3]; errnoOf(err) != want {
			fmt.Println(i, err)
			return 12
		}
		if err == nil {
			q = made
		}
	}
	if errnoOf(q.Send(1, make([]byte, 101), 0)) != unix.EINVAL || q.Send(1, make([]byte, 100), 0) != nil {
		return 13
	}
	if s, err := q.Stat(); err != nil || s.MaxBytes != 200 {
		return 14
	}
	i, err = sysvmq.ReadInfo()
	if err != nil || i.Queues != 3 || i.Messages != 1 || i.Bytes != 100 {
		fmt.Println(i, err)
		return 15
	}
	return 0
})

var _ = ipctest.Role("send large messages", func([]string) int {
	const size = 200_000
	for _, name := range []string{"msgmax", "msgmnb"} {
		if os.WriteFile("/proc/sys/kernel/"+name, []byte("200000"), 0) != nil {
			return 10
		}
	}
	q, err := sysvmq.Get(sysvmq.Private, 0o600)
	if err != nil {
		return 11
	}
	sent, got := []byte(strings.Repeat("7", size)), make([]byte, size)
	for range 3 {
		if q.Send(1, sent, 0) != nil || errnoOf(q.Send(1, sent, sysvmq.NoWait)) != unix.EAGAIN {
			return 12
		}
		done := make(chan error)
		go func() { done <- q.SendContext(context.Background(), 2, sent, 0) }()
		for want := range int64(2) {
			n, mtype, err := q.Receive(got, 0, 0)
			if err != nil || n != size || mtype != want+1 || string(got) != string(sent) {
				return 13
			}
			clear(got)
		}
		if <-done != nil {
			return 14
		}
		if _, _, err := q.Receive(got, 0, sysvmq.NoWait); errnoOf(err) != unix.ENOMSG {
			return 15
		}
	}
	return 0
})

func TestLimitsOfTheSystem(t *testing.T) {
	inNamespace(t, "make too many")
	inNamespace(t, "send large messages")
}
