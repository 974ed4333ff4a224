package posixmq_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

func read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

func TestErrorsNameTheQueueAndTheCall(t *testing.T) {
	name := newName(t)
	_, err := posixmq.Open(name, unix.O_RDWR, 0, nil)
	isPath(t, err, "mq_open", name, unix.ENOENT)
	isPath(t, posixmq.Unlink(name), "mq_unlink", name, unix.ENOENT)
	for _, nul := range []string{"/a\x00b", "\x00", name + "\x00"} {
		_, err = posixmq.Open(nul, unix.O_CREAT|unix.O_RDWR, 0o600, nil)
		isPath(t, err, "mq_open", nul, unix.EINVAL)
		isPath(t, posixmq.Unlink(nul), "mq_unlink", nul, unix.EINVAL)
	}

	q := newQueue(t, 1, 4, unix.O_NONBLOCK)
	name = q.Name()
	buf := make([]byte, 3)
	isPath(t, q.Send(make([]byte, 5), 0), "mq_send", name, unix.EMSGSIZE)
	_, _, err = q.Receive(buf)
	isPath(t, err, "mq_receive", name, unix.EMSGSIZE)
	isPath(t, q.SendContext(t.Context(), make([]byte, 5), 0), "mq_send", name, unix.EMSGSIZE)
	_, _, err = q.ReceiveContext(t.Context(), buf)
	isPath(t, err, "mq_receive", name, unix.EMSGSIZE)
	isPath(t, q.SendContext(t.Context(), nil, 40000), "mq_send", name, unix.EINVAL)

	require.NoError(t, q.Close())
	assert.Equal(t, -1, q.Fd())
	isPath(t, q.Close(), "mq_close", name, unix.EBADF)
	isPath(t, q.Send(nil, 0), "mq_send", name, unix.EBADF)
	isPath(t, q.SetNonblock(true), "mq_setattr", name, unix.EBADF)
	isPath(t, q.NotifyThread(func() {}), "mq_notify", name, unix.EBADF)
	isPath(t, q.SendContext(t.Context(), nil, 0), "mq_send", name, unix.EBADF)
	_, _, err = q.ReceiveContext(t.Context(), buf)
	isPath(t, err, "mq_receive", name, unix.EBADF)
	_, err = q.Attr()
	isPath(t, err, "mq_getattr", name, unix.EBADF)
	_, err = q.Status()
	isPath(t, err, "read", name, unix.EBADF)
}

func TestAPriorityThatDoesNotFitTheKernelsTypeIsRefused(t *testing.T) {
	q := newQueue(t, 1, 4, 0)
	isPath(t, q.Send(nil, 1<<32), "mq_send", q.Name(), unix.EINVAL)
	isPath(t, q.SendContext(t.Context(), nil, 1<<32|5), "mq_send", q.Name(), unix.EINVAL)
}

func TestDescriptorsAreCloseOnExec(t *testing.T) {
	q := newQueue(t, 1, 4, 0)
	flags, err := unix.FcntlInt(uintptr(q.Fd()), unix.F_GETFD, 0)
	require.NoError(t, err)
	assert.Equal(t, unix.FD_CLOEXEC, flags)
}

var _ = ipctest.Role("open under umask", func(args []string) int {
	for _, text := range args[1:] {
		mode, _ := strconv.ParseUint(text, 8, 32)
		for _, umask := range []int{0, 0o022, 0o077, 0o777} {
			unix.Umask(umask)
			for _, flags := range []int{unix.O_CREAT, unix.O_CREAT | unix.O_EXCL} {
				q, err := posixmq.Open(args[0], flags|unix.O_RDWR, uint32(mode), nil)
				if err != nil {
					fmt.Println(err)
					return 10
				}
				var st unix.Stat_t
				if err := unix.Fstat(q.Fd(), &st); err != nil || st.Mode&0o7777 != uint32(mode) {
					fmt.Printf("mode %o under umask %o: %o, %v\n", mode, umask, st.Mode, err)
					return 11
				}
				// Whoever only opens it changes nothing.
				other, err := posixmq.Open(args[0], unix.O_CREAT|unix.O_RDONLY, 0o111, nil)
				if err != nil || unix.Fstat(other.Fd(), &st) != nil || st.Mode&0o7777 != uint32(mode) {
					fmt.Printf("opened with mode %o: %o, %v\n", mode, st.Mode, err)
					return 12
				}
				if q.Close() != nil || other.Close() != nil || posixmq.Unlink(args[0]) != nil {
					return 13
				}
			}
		}
	}
	return 0
})

func TestANewQueueHasExactlyTheModeWhateverTheUmask(t *testing.T) {
	// Without read and write permission only root could open it a second time.
	out, err := ipctest.Command(t, "open under umask", newName(t), "600", "666", "640", "777").CombinedOutput()
	assert.NoError(t, err, string(out))
}

var _ = ipctest.Role("open without bytes", func(args []string) int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_MSGQUEUE, &limit) != nil {
		return 10
	}
	limit.Cur = 0
	if unix.Setrlimit(unix.RLIMIT_MSGQUEUE, &limit) != nil {
		return 11
	}
	if l, err := posixmq.ReadLimits(); err != nil || l.Bytes != 0 {
		return 12
	}
	_, err := posixmq.Open(args[0], unix.O_CREAT|unix.O_RDWR, 0o600, nil)
	if errnoOf(err) != unix.EMFILE {
		fmt.Println(err)
		return 13
	}
	if errnoOf(posixmq.Unlink(args[0])) != unix.ENOENT {
		return 14
	}
	return 0
})

var _ = ipctest.Role("open without descriptors", func(args []string) int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 10
	}
	few := unix.Rlimit{Cur: 3, Max: limit.Max}
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &few) != nil {
		return 11
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &limit) // a sanitizer needs some at the end
	_, err := posixmq.Open(args[0], unix.O_CREAT|unix.O_RDWR, 0o600, nil)
	if errnoOf(err) != unix.EMFILE {
		fmt.Println(err)
		return 13
	}
	return 0
})

func TestLimitsOfTheProcessAreEMFILE(t *testing.T) {
	for _, role := range []string{"open without bytes", "open without descriptors"} {
		out, err := ipctest.Command(t, role, newName(t)).CombinedOutput()
		assert.NoError(t, err, "%s: %s", role, out)
	}
}

// unprivileged takes the right to go beyond the limits from this thread.
func unprivileged() error {
	runtime.LockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		return err
	}
	caps[0].Effective &^= 1 << unix.CAP_SYS_RESOURCE
	return unix.Capset(&header, &caps[0])
}

var _ = ipctest.Role("open too many", func([]string) int {
	if err := unprivileged(); err != nil {
		fmt.Println(err)
		return 10
	}
	for name, value := range map[string]string{"queues_max": "3", "msg_max": "5", "msgsize_max": "200"} {
		if err := os.WriteFile("/proc/sys/fs/mqueue/"+name, []byte(value), 0); err != nil {
			fmt.Println(err)
			return 11
		}
	}
	l, err := posixmq.ReadLimits()
	if err != nil || l.QueuesMax != 3 || l.MsgMax != 5 || l.MsgSizeMax != 200 {
		fmt.Println(l, err)
		return 12
	}
	for _, attr := range []posixmq.Attr{{MaxMsg: 6, MsgSize: 1}, {MaxMsg: 1, MsgSize: 201}} {
		if _, err := posixmq.Open("/over", unix.O_CREAT|unix.O_RDWR, 0o600, &attr); errnoOf(err) != unix.EINVAL {
			fmt.Println(attr, err)
			return 13
		}
	}
	for i := range 4 {
		_, err := posixmq.Open(fmt.Sprintf("/q%d", i), unix.O_CREAT|unix.O_RDWR, 0o600, &posixmq.Attr{MaxMsg: 5, MsgSize: 200})
		if want := map[bool]syscall.Errno{true: unix.ENOSPC}[i == 3]; errnoOf(err) != want {
			fmt.Println(i, err)
			return 14
		}
	}
	return 0
})

func TestLimitsOfTheSystem(t *testing.T) {
	inNamespace(t, "open too many")
}

var _ = ipctest.Role("open what is another's", func(args []string) int {
	for flags, want := range map[int]syscall.Errno{
		unix.O_RDONLY:                0,
		unix.O_RDONLY | unix.O_CREAT: 0,
		unix.O_WRONLY:                unix.EACCES,
		unix.O_RDWR:                  unix.EACCES,
		unix.O_RDWR | unix.O_CREAT:   unix.EACCES,
	} {
		if _, err := posixmq.Open(args[0], flags, 0o600, nil); errnoOf(err) != want {
			fmt.Println(flags, err)
			return 10
		}
	}
	if err := posixmq.Unlink(args[0]); errnoOf(err) != unix.EACCES {
		fmt.Println(err)
		return 11
	}
	return 0
})

func TestPermissions(t *testing.T) {
	ipctest.Require(t, os.Geteuid() == 0, "root, to be somebody else")
	name := newName(t)
	q, err := posixmq.Open(name, unix.O_CREAT|unix.O_EXCL|unix.O_RDWR, 0o604, nil)
	require.NoError(t, err)
	defer q.Close()
	cmd := ipctest.Command(t, "open what is another's", name)
	cmd.Path = "/proc/self/exe" // which the other may not find otherwise
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, string(out))
}

func TestManyWhoCreateGetOneQueue(t *testing.T) {
	for range 30 {
		name := newName(t)
		var creating sync.WaitGroup
		for i := range 8 {
			creating.Go(func() {
				q, err := posixmq.Open(name, unix.O_CREAT|unix.O_RDWR, 0o600, &posixmq.Attr{MaxMsg: 8, MsgSize: 8})
				if assert.NoError(t, err) {
					assert.NoError(t, q.Send([]byte{byte(i)}, 0))
					assert.NoError(t, q.Close())
				}
			})
		}
		creating.Wait()
		q := open(t, name, unix.O_RDONLY, nil)
		a, err := q.Attr()
		require.NoError(t, err)
		assert.Equal(t, 8, a.CurMsgs)
		require.NoError(t, q.Close())
		require.NoError(t, posixmq.Unlink(name))
	}
}

func TestAnUnlinkedQueueServesThoseWhoHaveItOpen(t *testing.T) {
	q := newQueue(t, 2, 8, 0)
	other := open(t, q.Name(), unix.O_RDWR, nil)
	require.NoError(t, posixmq.Unlink(q.Name()))
	require.NoError(t, other.Send([]byte("still"), 3))
	again := open(t, q.Name(), unix.O_CREAT|unix.O_RDWR|unix.O_NONBLOCK, &posixmq.Attr{MaxMsg: 1, MsgSize: 8})
	buf := make([]byte, 8)
	_, _, err := again.Receive(buf)
	assert.ErrorIs(t, err, unix.EAGAIN, "a new queue of the same name")
	require.NoError(t, other.Close())
	n, priority, err := q.Receive(buf)
	require.NoError(t, err)
	assert.Equal(t, "still", string(buf[:n]))
	assert.Equal(t, uint(3), priority)
}

func TestOneOpenQueueBeingNonBlockingDoesNotConcernAnother(t *testing.T) {
	q := newQueue(t, 1, 8, 0)
	other := open(t, q.Name(), unix.O_RDWR, nil)
	require.NoError(t, q.SetNonblock(true))
	for q, want := range map[*posixmq.Queue]bool{q: true, other: false} {
		a, err := q.Attr()
		require.NoError(t, err)
		assert.Equal(t, want, a.Nonblock)
	}
}
