package pthread_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
	"unpipc/gobind/pthread"
)

// The main goroutine keeps the main thread for itself: a goroutine that ends pinned to
// that one does not end it.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	os.Exit(ipctest.Main(m))
}

// peerProgram is testdata/peer.c, compiled.
func peerProgram(t testing.TB) string {
	t.Helper()
	return ipctest.CProgram(t, "testdata/peer.c", "-lrt")
}

const page = 4096

// shared is memory of a new shared memory object, and the object's name.
func shared(t testing.TB) ([]byte, string) {
	t.Helper()
	name := "/" + ipctest.Name(t)
	o, err := posixshm.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, posixshm.Unlink(name)) })
	require.NoError(t, o.Allocate(page))
	memory, err := o.Map(page, true)
	require.NoError(t, err)
	require.NoError(t, o.Close())
	t.Cleanup(func() { assert.NoError(t, posixshm.Unmap(memory)) })
	return memory, name
}

// attached is the memory of an object that another process has made.
func attached(name string) []byte {
	o, err := posixshm.Open(name, unix.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	memory, err := o.Map(page, true)
	if err := errors.Join(err, o.Close()); err != nil {
		panic(err)
	}
	return memory
}

// word is an integer in the memory.
func word(memory []byte, offset int) *int64 { return (*int64)(unsafe.Pointer(&memory[offset])) }

// process is another process that makes calls one after the other.
type process struct {
	*ipctest.Peer
	t *testing.T
}

// inC starts testdata/peer.c on the memory of this name.
func inC(t *testing.T, name string) *process {
	t.Helper()
	program := peerProgram(t)
	return start(t, exec.CommandContext(t.Context(), program, name))
}

func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	cmd.SysProcAttr = nil // no signal at the death of a thread: here they die all the time
	return &process{ipctest.Start(t, cmd), t}
}

// begin begins a call, which may sleep; answer gives what it returned.
func (p *process) begin(format string, args ...any) (answer func() int) {
	p.t.Helper()
	p.Tell(format, args...)
	return func() int {
		p.t.Helper()
		n, err := strconv.Atoi(p.Line())
		require.NoError(p.t, err)
		return n
	}
}

// ok makes a call that succeeds.
func (p *process) ok(format string, args ...any) {
	p.t.Helper()
	p.gives(0, format, args...)
}

func (p *process) gives(want syscall.Errno, format string, args ...any) {
	p.t.Helper()
	require.Equal(p.t, int(want), p.begin(format, args...)(), fmt.Sprintf(format, args...))
}

// asleep waits until the process sleeps in a futex: it is single-threaded.
func (p *process) asleep() {
	p.t.Helper()
	ipctest.Eventually(p.t, func() bool {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", p.Process.Pid))
		return strings.HasPrefix(string(text), fmt.Sprint(unix.SYS_FUTEX, " "))
	}, "the other process sleeps")
}

// at selects those who sleep for an object in memory.
func at(memory []byte) func(args [6]uintptr) bool {
	low := uintptr(unsafe.Pointer(&memory[0]))
	return func(args [6]uintptr) bool { return low <= args[0] && args[0] < low+uintptr(len(memory)) }
}

// asleepAt waits until n threads of this process sleep for an object in memory.
func asleepAt(t testing.TB, memory []byte, n int) {
	t.Helper()
	ipctest.Asleep(t, unix.SYS_FUTEX, n, at(memory))
}

// background runs f in a goroutine.
func background(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// newMutex is there until the end of the test, when nobody may hold it.
func newMutex(t testing.TB, attr pthread.MutexAttr) *pthread.Mutex {
	t.Helper()
	m, err := pthread.NewMutex(attr)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Destroy()) })
	return m
}

func newCond(t testing.TB, attr pthread.CondAttr) *pthread.Cond {
	t.Helper()
	c, err := pthread.NewCond(attr)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Destroy()) })
	return c
}

func newRWLock(t testing.TB, attr pthread.RWLockAttr) *pthread.RWLock {
	t.Helper()
	l, err := pthread.NewRWLock(attr)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Destroy()) })
	return l
}

// mutexIn is a mutex in memory of its own page, at which sleepers can be seen.
func mutexIn(t testing.TB, attr pthread.MutexAttr) (*pthread.Mutex, []byte) {
	t.Helper()
	memory, err := unix.Mmap(-1, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, unix.Munmap(memory)) })
	m, err := pthread.InitMutex(memory, attr)
	require.NoError(t, err)
	return m, memory[:pthread.MutexSize]
}

// leavesFree says whether f leaves its goroutine free of the thread it ran on: then that
// thread runs another goroutine some day, or else it ends with this one.
func leavesFree(t *testing.T, f func()) bool {
	t.Helper()
	ended := make(chan int)
	go func() { f(); ended <- unix.Gettid() }()
	tid := <-ended
	enough := make(chan struct{})
	defer close(enough)
	free, tried, begin := false, 0, time.Now()
	ipctest.Eventually(t, func() bool {
		// Many at once, and then one now and then: it may be late to be idle.
		if tried < 200+int(time.Since(begin)/(100*time.Millisecond)) {
			tried++
			// Each keeps a thread for itself, so that it is the turn of all that are idle.
			running := make(chan int)
			go func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				running <- unix.Gettid()
				<-enough
			}()
			free = <-running == tid
		}
		return free || unix.Tgkill(os.Getpid(), tid, 0) == unix.ESRCH
	}, "the thread runs another goroutine, or is gone")
	return free
}
