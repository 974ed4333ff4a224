package pthread_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
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
	t       *testing.T
	cmd     *exec.Cmd
	calls   io.WriteCloser
	answers *bufio.Scanner
}

// inC starts testdata/peer.c on the memory of this name.
func inC(t *testing.T, name string) *process {
	t.Helper()
	program := peerProgram(t)
	return start(t, exec.CommandContext(t.Context(), program, name))
}

func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	calls, err := cmd.StdinPipe()
	require.NoError(t, err)
	answers, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = nil // no signal at the death of a thread: here they die all the time
	require.NoError(t, cmd.Start())
	p := &process{t, cmd, calls, bufio.NewScanner(answers)}
	t.Cleanup(p.kill)
	return p
}

// begin begins a call, which may sleep; answer gives what it returned.
func (p *process) begin(format string, args ...any) (answer func() int) {
	p.t.Helper()
	_, err := fmt.Fprintf(p.calls, format+"\n", args...)
	require.NoError(p.t, err)
	return func() int {
		p.t.Helper()
		require.True(p.t, p.answers.Scan(), "the other process answers")
		n, err := strconv.Atoi(p.answers.Text())
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
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", p.cmd.Process.Pid))
		return strings.HasPrefix(string(text), fmt.Sprint(unix.SYS_FUTEX, " "))
	}, "the other process sleeps")
}

// kill ends the process by SIGKILL, if it still is, and waits until it is gone.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// sleepersAt counts the threads of this process that sleep for an object in memory.
func sleepersAt(memory []byte) (found int) {
	low := uint64(uintptr(unsafe.Pointer(&memory[0])))
	tasks, _ := filepath.Glob("/proc/self/task/*/syscall")
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		var number, address uint64
		if _, err := fmt.Sscanf(string(text), "%d 0x%x", &number, &address); err == nil &&
			number == unix.SYS_FUTEX && low <= address && address < low+uint64(len(memory)) {
			found++
		}
	}
	return found
}

// asleepAt waits until n threads of this process sleep for an object in memory.
func asleepAt(t testing.TB, memory []byte, n int) {
	t.Helper()
	ipctest.Eventually(t, func() bool { return sleepersAt(memory) == n }, fmt.Sprintf("%d threads sleep", n))
}

// background runs f in a goroutine.
func background(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// isCall asserts all of a *os.SyscallError.
func isCall(t *testing.T, err error, call string, errno syscall.Errno) {
	t.Helper()
	var e *os.SyscallError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, os.SyscallError{Syscall: call, Err: errno}, *e)
}

// errnoOf is the errno inside err, 0 for none.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
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
	free, tried := false, 0
	ipctest.Eventually(t, func() bool {
		if tried++; tried <= 200 {
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
