package posixsem_test

import (
	"os"
	"os/exec"
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

// inC starts testdata/sem.c, which makes these calls and says what they gave.
func inC(t *testing.T, calls ...string) *ipctest.Peer {
	t.Helper()
	return ipctest.Start(t, exec.Command(ipctest.CProgram(t, "testdata/sem.c"), calls...))
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

// inSemWait says of a futex(2) that it is sem_wait's: that one uses FUTEX_WAIT_BITSET,
// which the Go runtime does not.
func inSemWait(args [6]uintptr) bool { return args[1]&0x7f == 9 }

func sleepers() []int { return ipctest.Sleepers(unix.SYS_FUTEX, inSemWait) }

func asleep(t testing.TB, n int) []int {
	t.Helper()
	return ipctest.Asleep(t, unix.SYS_FUTEX, n, inSemWait)
}
