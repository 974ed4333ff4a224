package pthread_test

import (
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pthread"
)

func TestJoinReturnsWhenTheThreadIsGone(t *testing.T) {
	m := newMutex(t, pthread.MutexAttr{Robust: true})
	for range 100 {
		ran := 0
		th := pthread.Go(func() { ran = unix.Gettid(); assert.NoError(t, m.Lock()) })
		joined := background(func() error { th.Join(); return nil })
		th.Join()
		<-joined
		require.Equal(t, th.ID(), ran)
		require.ErrorIs(t, m.TryLock(), unix.EOWNERDEAD, "the kernel has given back its locks")
		require.NoError(t, m.Consistent())
		require.NoError(t, m.Unlock())
		ipctest.Eventually(t, func() bool { return unix.Tgkill(os.Getpid(), ran, 0) == unix.ESRCH }, "no such thread")
	}
}

func TestAThreadRunsOnOneThreadAlone(t *testing.T) {
	proceed := make(chan struct{})
	tids := make(chan int)
	var threads []*pthread.Thread
	for range 10 {
		threads = append(threads, pthread.Go(func() {
			tids <- unix.Gettid()
			<-proceed
			tids <- unix.Gettid()
		}))
	}
	seen := map[int]int{}
	for range 10 {
		seen[<-tids]++
	}
	assert.Len(t, seen, 10)
	close(proceed)
	for range 10 {
		seen[<-tids]++
	}
	for _, th := range threads {
		th.Join()
		assert.Equal(t, 2, seen[th.ID()])
	}
}

func TestAThreadMayEndByGoexit(t *testing.T) {
	pthread.Go(runtime.Goexit).Join()
}

var _ = ipctest.Role("main thread", func([]string) int {
	// Now others may run on the main thread, and with one P they do.
	runtime.GOMAXPROCS(1)
	runtime.UnlockOSThread()
	onMain := 0
	for range 100 {
		plain := make(chan int)
		go func() { plain <- unix.Gettid() }()
		if <-plain == os.Getpid() {
			onMain++
		}
		th := pthread.Go(func() {})
		th.Join()
		if th.ID() == os.Getpid() {
			println("a thread was the main thread")
			return 1
		}
	}
	if onMain == 0 {
		println("no goroutine ever ran on the main thread")
		return 1
	}
	return 0
})

func TestNoThreadIsTheMainThread(t *testing.T) {
	cmd := ipctest.Command(t, "main thread")
	cmd.SysProcAttr = nil // as in start
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, "%s", out)
}
