package marks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixsem"
	"unpipc/gobind/sysvmq"
	"unpipc/gobind/sysvsem"
	"unpipc/gobind/sysvshm"
	"unpipc/projects/internal/exercise"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// scope is this test's alone: its marks are in a folder of their own.
func scope(t *testing.T) string {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	return "test-1"
}

func left(t *testing.T, scope string) []exercise.Leftover {
	t.Helper()
	l, err := Leftovers(scope)()
	require.NoError(t, err)
	return l
}

// marked makes an object and marks it as one that this process uses.
type maker func(t *testing.T, scope string) (m *Mark, what string, gone func() bool)

func file1(kind Kind, make func(path string) error) maker {
	return func(t *testing.T, scope string) (*Mark, string, func() bool) {
		path := filepath.Join(t.TempDir(), "object")
		m, err := Claim(scope, kind, path)
		require.NoError(t, err)
		require.NoError(t, make(path))
		require.NoError(t, m.RecordFile(path))
		return m, path, func() bool { _, err := os.Lstat(path); return os.IsNotExist(err) }
	}
}

var makers = map[Kind]maker{
	FIFO: file1(FIFO, func(path string) error { return unix.Mkfifo(path, 0o600) }),
	Socket: file1(Socket, func(path string) error {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	}),
	Semaphore: func(t *testing.T, scope string) (*Mark, string, func() bool) {
		name := "/" + ipctest.Name(t)
		m, err := Claim(scope, Semaphore, name)
		require.NoError(t, err)
		s, err := posixsem.Open(name, unix.O_CREAT|unix.O_EXCL, 0o600, 1)
		require.NoError(t, err)
		require.NoError(t, s.Close())
		require.NoError(t, m.RecordFile(SemaphoreFile(name)))
		return m, "POSIX semaphore " + name, func() bool { return posixsem.Unlink(name) != nil }
	},
	Queue: func(t *testing.T, scope string) (*Mark, string, func() bool) {
		key := sysvmq.Key(ipctest.Key())
		q, err := sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|0o600)
		require.NoError(t, err)
		m, err := Share(scope, Queue, key.String(), q.ID(), true)
		require.NoError(t, err)
		return m, fmt.Sprintf("System V queue key %s (msqid %d)", key, q.ID()), func() bool { return q.Remove() != nil }
	},
	Semaphores: func(t *testing.T, scope string) (*Mark, string, func() bool) {
		key := sysvsem.Key(ipctest.Key())
		s, err := sysvsem.Get(key, 3, sysvsem.Create|sysvsem.Excl|0o600)
		require.NoError(t, err)
		m, err := Share(scope, Semaphores, key.String(), s.ID(), true)
		require.NoError(t, err)
		return m, fmt.Sprintf("System V semaphores key %s (semid %d)", key, s.ID()), func() bool { return s.Remove() != nil }
	},
	Segment: func(t *testing.T, scope string) (*Mark, string, func() bool) {
		key := sysvshm.Key(ipctest.Key())
		m, err := Claim(scope, Segment, key.String())
		require.NoError(t, err)
		s, err := sysvshm.Get(key, 100, sysvshm.Create|sysvshm.Excl|0o600)
		require.NoError(t, err)
		require.NoError(t, m.Record(uint64(s.ID())))
		return m, fmt.Sprintf("System V shared memory key %s (shmid %d)", key, s.ID()), func() bool { return s.Remove() != nil }
	},
}

func TestAnObjectIsLeftOverOnceNobodyUsesIt(t *testing.T) {
	for kind, make := range makers {
		t.Run(string(kind), func(t *testing.T) {
			scope := scope(t)
			m, what, gone := make(t, scope)
			assert.Empty(t, left(t, scope), "it is in use")
			require.NoError(t, m.Leave()) // as the kernel does when the process is killed
			l := left(t, scope)
			require.Len(t, l, 1)
			assert.Equal(t, what, l[0].Name)
			assert.NotEmpty(t, l[0].Why)
			assert.Empty(t, left(t, "test-11"), "another scope")
			require.NoError(t, l[0].Remove())
			assert.True(t, gone())
			assert.Empty(t, left(t, scope))
			files, err := os.ReadDir(os.TempDir())
			require.NoError(t, err)
			assert.Empty(t, files, "the mark is gone too")
		})
	}
}

func TestWhatSomebodyElseHasMadeUnderTheNameIsNotTouched(t *testing.T) {
	for kind, make := range makers {
		t.Run(string(kind), func(t *testing.T) {
			scope := scope(t)
			m, _, gone := make(t, scope)
			require.NoError(t, m.Record(1<<60)) // the identifier of the one that was there before
			require.NoError(t, m.Leave())
			l := left(t, scope)
			require.Len(t, l, 1)
			assert.True(t, strings.HasPrefix(l[0].Name, os.TempDir()), "only the mark is left: %s", l[0].Name)
			require.NoError(t, l[0].Remove())
			assert.Empty(t, left(t, scope))
			assert.False(t, gone())
			if kind == FIFO || kind == Socket {
				return // the test's folder goes with the test
			}
			assert.True(t, gone(), "gone has removed it")
		})
	}
}

func TestAProgramThatComesMeanwhileKeepsWhatWasLeft(t *testing.T) {
	scope := scope(t)
	m, path, gone := makers[FIFO](t, scope)
	require.NoError(t, m.Leave())
	l := left(t, scope)
	require.Len(t, l, 1)
	again, err := Claim(scope, FIFO, path)
	require.NoError(t, err)
	assert.ErrorIs(t, l[0].Remove(), ErrInUse)
	assert.False(t, gone())
	require.NoError(t, again.Remove())
	assert.ErrorIs(t, l[0].Remove(), os.ErrNotExist)
	assert.False(t, gone(), "it is no longer known to be left")
}

func TestMemoryThatIsAttachedIsInUse(t *testing.T) {
	scope := scope(t)
	m, _, _ := makers[Segment](t, scope)
	_, name, _ := strings.Cut(func() string { text, _ := os.ReadFile(m.file.Name()); return string(text) }(), " ")
	key, ok := key(strings.TrimSpace(name))
	require.True(t, ok)
	s, err := sysvshm.Get(sysvshm.Key(key), 0, 0)
	require.NoError(t, err)
	memory, err := s.Attach(0)
	require.NoError(t, err)
	require.NoError(t, m.Leave())
	assert.Empty(t, left(t, scope))
	require.NoError(t, sysvshm.Detach(memory))
	l := left(t, scope)
	require.Len(t, l, 1)
	require.NoError(t, l[0].Remove())
}

func TestOneProcessClaimsAndManyShare(t *testing.T) {
	scope := scope(t)
	t.Chdir(t.TempDir())
	one, err := Claim(scope, FIFO, "f")
	require.NoError(t, err)
	for _, name := range []string{"f", "./f", filepath.Join("..", filepath.Base(os.Getenv("PWD")), "f")} {
		_, err = Claim(scope, FIFO, name)
		require.ErrorIs(t, err, ErrInUse, "the same path, %s", name)
		assert.ErrorContains(t, err, name)
	}
	require.NoError(t, one.Remove())
	_, err = Claim(scope, FIFO, "none/f")
	require.ErrorIs(t, err, os.ErrNotExist)

	first, err := Share(scope, Queue, "0x00000001", 7, true)
	require.NoError(t, err)
	second, err := Share(scope, Queue, "0x00000001", 7, false)
	require.NoError(t, err)
	require.NoError(t, first.Leave())
	assert.Empty(t, left(t, scope))
	require.NoError(t, second.Leave())
	assert.Len(t, left(t, scope), 1)

	for key, id := range map[string]int{"0x00000001": 8, "0x00000002": 7} { // another one; one without a mark
		none, err := Share(scope, Queue, key, id, false)
		require.NoError(t, err)
		assert.Nil(t, none, "it is somebody else's")
		require.NoError(t, none.Remove())
	}
	again, err := Share(scope, Queue, "0x00000001", 7, false)
	require.NoError(t, err)
	require.NoError(t, again.Remove())
	assert.Empty(t, left(t, scope))
}

func TestAMarkOfAnotherUserIsNotBelieved(t *testing.T) {
	scope := scope(t)
	if os.Geteuid() != 0 {
		require.NoError(t, os.Symlink("/etc/hostname", prefix(scope)+"fifo-0"))
		assert.Empty(t, left(t, scope), "nor is a link")
		return
	}
	m, path, _ := makers[FIFO](t, scope)
	require.NoError(t, m.Leave())
	files, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.NoError(t, os.Chown(filepath.Join(os.TempDir(), files[0].Name()), 65534, 65534))
	assert.Empty(t, left(t, scope))
	_, err = Claim(scope, FIFO, path)
	assert.ErrorContains(t, err, "not a file of this user's")
}

// Claimants race for a mark that is removed again and again.
func TestClaimsAndRemovalsAtOnceLeaveOneOwner(t *testing.T) {
	scope := scope(t)
	owners, inside := make(chan error), make(chan struct{}, 1)
	const each, many = 200, 4
	for range many {
		go func() {
			owners <- func() error {
				for range each {
					m, err := Claim(scope, Queue, "0x2")
					if err != nil {
						if strings.Contains(err.Error(), ErrInUse.Error()) {
							continue
						}
						return err
					}
					select {
					case inside <- struct{}{}:
					default:
						return fmt.Errorf("two have it")
					}
					<-inside
					if err := m.Remove(); err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for range many {
		require.NoError(t, <-owners)
	}
	assert.Empty(t, left(t, scope))
}
