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
	ipctest.IsPathError(t, err, "mq_open", name, unix.ENOENT)
	ipctest.IsPathError(t, posixmq.Unlink(name), "mq_unlink", name, unix.ENOENT)
	for _, nul := range []string{"/a\x00b", "\x00", name + "\x00"} {
		_, err = posixmq.Open(nul, unix.O_CREAT|unix.O_RDWR, 0o600, nil)
		ipctest.IsPathError(t, err, "mq_open", nul, unix.EINVAL)
		ipctest.IsPathError(t, posixmq.Unlink(nul), "mq_unlink", nul, unix.EINVAL)
	}

	q := newQueue(t, 1, 4, unix.O_NONBLOCK)
	name = q.Name()
	buf := make([]byte, 3)
	ipctest.IsPathError(t, q.Send(make([]byte, 5), 0), "mq_send", name, unix.EMSGSIZE)
	_, _, err = q.Receive(buf)
	ipctest.IsPathError(t, err, "mq_receive", name, unix.EMSGSIZE)
	ipctest.IsPathError(t, q.SendContext(t.Context(), make([]byte, 5), 0), "mq_send", name, unix.EMSGSIZE)
	_, _, err = q.ReceiveContext(t.Context(), buf)
	ipctest.IsPathError(t, err, "mq_receive", name, unix.EMSGSIZE)
	ipctest.IsPathError(t, q.SendContext(t.Context(), nil, 40000), "mq_send", name, unix.EINVAL)

	require.NoError(t, q.Close())
	assert.Equal(t, -1, q.Fd())
	ipctest.IsPathError(t, q.Close(), "mq_close", name, unix.EBADF)
	ipctest.IsPathError(t, q.Send(nil, 0), "mq_send", name, unix.EBADF)
	ipctest.IsPathError(t, q.SetNonblock(true), "mq_setattr", name, unix.EBADF)
	ipctest.IsPathError(t, q.NotifyThread(func() {}), "mq_notify", name, unix.EBADF)
	ipctest.IsPathError(t, q.SendContext(t.Context(), nil, 0), "mq_send", name, unix.EBADF)
	_, _, err = q.ReceiveContext(t.Context(), buf)
	ipctest.IsPathError(t, err, "mq_receive", name, unix.EBADF)
	_, err = q.Attr()
	ipctest.IsPathError(t, err, "mq_getattr", name, unix.EBADF)
	_, err = q.Status()
	ipctest.IsPathError(t, err, "read", name, unix.EBADF)
}

func TestAPriorityThatDoesNotFitTheKernelsTypeIsRefused(t *testing.T) {
	q := newQueue(t, 1, 4, 0)
	ipctest.IsPathError(t, q.Send(nil, 1<<32), "mq_send", q.Name(), unix.EINVAL)
	ipctest.IsPathError(t, q.SendContext(t.Context(), nil, 1<<32|5), "mq_send", q.Name(), unix.EINVAL)
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
	if ipctest.Errno(err) != unix.EMFILE {
		fmt.Println(err)
		return 13
	}
	if ipctest.Errno(posixmq.Unlink(args[0])) != unix.ENOENT {
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
	if ipctest.Errno(err) != unix.EMFILE {
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

// As many and as large queues as the limits let it make, which privilege goes beyond.
var _ = ipctest.Role("go to the limits", func(args []string) int {
	runtime.LockOSThread()
	if err := ipctest.Drop(unix.CAP_SYS_RESOURCE); err != nil {
		fmt.Println(err)
		return 10
	}
	l, err := posixmq.ReadLimits()
	if err != nil {
		fmt.Println(err)
		return 11
	}
	const flags = unix.O_CREAT | unix.O_EXCL | unix.O_RDWR
	for _, attr := range []posixmq.Attr{{MaxMsg: l.MsgMax + 1, MsgSize: 1}, {MaxMsg: 1, MsgSize: l.MsgSizeMax + 1}} {
		if _, err := posixmq.Open(args[0], flags, 0o600, &attr); ipctest.Errno(err) != unix.EINVAL {
			fmt.Println(attr, err)
			return 12
		}
	}
	for i, name := range args[1:] {
		_, err := posixmq.Open(name, flags, 0o600, &posixmq.Attr{MaxMsg: l.MsgMax, MsgSize: l.MsgSizeMax})
		if want := map[bool]syscall.Errno{true: unix.ENOSPC}[i == l.QueuesMax]; ipctest.Errno(err) != want {
			fmt.Println(i, err)
			return 13
		}
	}
	return 0
})

func TestLimitsOfTheSystem(t *testing.T) {
	names := []string{newName(t)}
	if ipctest.Sysctl(t, map[string]string{"fs/mqueue/queues_max": "3", "fs/mqueue/msg_max": "5", "fs/mqueue/msgsize_max": "200"}) {
		l, err := posixmq.ReadLimits()
		require.NoError(t, err)
		assert.Equal(t, []int{3, 5, 200}, []int{l.QueuesMax, l.MsgMax, l.MsgSizeMax})
		for range 4 {
			names = append(names, newName(t))
		}
	}
	out, err := ipctest.Command(t, "go to the limits", names...).CombinedOutput()
	assert.NoError(t, err, string(out))
}

var _ = ipctest.Role("open what may only be read", func(args []string) int {
	for flags, want := range map[int]syscall.Errno{
		unix.O_RDONLY:                0,
		unix.O_RDONLY | unix.O_CREAT: 0,
		unix.O_WRONLY:                unix.EACCES,
		unix.O_RDWR:                  unix.EACCES,
		unix.O_RDWR | unix.O_CREAT:   unix.EACCES,
	} {
		if _, err := posixmq.Open(args[0], flags, 0o600, nil); ipctest.Errno(err) != want {
			fmt.Println(flags, err)
			return 10
		}
	}
	if args[1] == "another's" && ipctest.Errno(posixmq.Unlink(args[0])) != unix.EACCES {
		return 11
	}
	return 0
})

func TestPermissions(t *testing.T) {
	name := newName(t)
	whose, mode := "another's", uint32(0o604)
	if os.Geteuid() != 0 {
		whose, mode = "one's own", 0o400
	}
	cmd := ipctest.Command(t, "open what may only be read", name, whose)
	ipctest.AsNobody(cmd)
	q, err := posixmq.Open(name, unix.O_CREAT|unix.O_EXCL|unix.O_RDWR, mode, nil)
	require.NoError(t, err)
	defer q.Close()
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
