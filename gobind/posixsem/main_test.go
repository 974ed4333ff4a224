package posixsem_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixsem"
	"unpipc/gobind/posixshm"
)

func TestMain(m *testing.M) {
	os.Exit(ipctest.Main(m))
}

// judge is testdata/sem.c, compiled.
func judge(t testing.TB) string {
	t.Helper()
	return ipctest.CProgram(t, "testdata/sem.c")
}

// inC starts calls in a C program of their own; stop gives its output.
func inC(t *testing.T, calls ...string) (stop func() []string) {
	t.Helper()
	program := judge(t)
	cmd := exec.CommandContext(t.Context(), program, calls...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	return func() []string {
		require.NoError(t, cmd.Wait(), out.String())
		return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	}
}

// Both ways to make the calls are tested, on one semaphore where that tells more.
var ways = map[string]func(*posixsem.Sem) *posixsem.Sem{
	"by the word": func(s *posixsem.Sem) *posixsem.Sem { return s },
	"by libc":     (*posixsem.Sem).Libc,
}

func eachWay(t *testing.T, test func(t *testing.T, way func(*posixsem.Sem) *posixsem.Sem)) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) { test(t, way) })
	}
}

// shared is memory of a new shared memory object, and the object's name.
func shared(t *testing.T) ([]byte, string) {
	t.Helper()
	name := "/" + ipctest.Name(t)
	o, err := posixshm.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, posixshm.Unlink(name)) })
	require.NoError(t, o.Allocate(4096))
	memory, err := o.Map(4096, true)
	require.NoError(t, err)
	require.NoError(t, o.Close())
	t.Cleanup(func() { assert.NoError(t, posixshm.Unmap(memory)) })
	return memory, name
}

func semaphore(t *testing.T, value uint) *posixsem.Sem {
	t.Helper()
	memory, _ := shared(t)
	s, err := posixsem.Init(memory, value)
	require.NoError(t, err)
	return s
}

// named is there until the end of the test.
func named(t *testing.T, value uint) *posixsem.Sem {
	t.Helper()
	name := "/" + ipctest.Name(t)
	s, err := posixsem.Open(name, unix.O_CREAT|unix.O_EXCL, 0o600, value)
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, s.Close())
		assert.NoError(t, posixsem.Unlink(name))
	})
	return s
}

func value(t *testing.T, s *posixsem.Sem) int {
	t.Helper()
	v, err := s.Value()
	require.NoError(t, err)
	return v
}

// errnoOf is the errno inside err, 0 for none.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
}

// sleepers are the threads of this process that sleep at a futex for others: on Linux
// sem_wait waits by FUTEX_WAIT_BITSET, which the Go runtime does not use.
func sleepers() (tids []int) {
	tasks, _ := filepath.Glob("/proc/self/task/*/syscall")
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		var number, word, op uintptr
		var tid int
		if _, err := fmt.Sscan(string(text), &number, &word, &op); err != nil || number != unix.SYS_FUTEX || op&0x7f != 9 {
			continue
		}
		if _, err := fmt.Sscanf(task, "/proc/self/task/%d/", &tid); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids
}

func asleep(t testing.TB, n int) []int {
	t.Helper()
	var tids []int // one look: a sleeper woken by a signal is out of the call until it sleeps again
	ipctest.Eventually(t, func() bool {
		tids = sleepers()
		return len(tids) == n
	}, "they sleep in the kernel")
	return tids
}
