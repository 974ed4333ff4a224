package posixsem_test

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixsem"
)

func TestErrorsOfANamedSemaphoreHaveItsName(t *testing.T) {
	s := named(t, 0)
	for op, err := range map[string]error{
		"sem_trywait":   s.TryWait(),
		"sem_clockwait": s.WaitFor(0),
		"sem_destroy":   s.Destroy(),
	} {
		var path *fs.PathError
		require.ErrorAs(t, err, &path)
		assert.Equal(t, op, path.Op)
		assert.Equal(t, s.Name(), path.Path)
	}
	_, err := posixsem.Open(s.Name(), unix.O_CREAT|unix.O_EXCL, 0o600, 0)
	assert.ErrorIs(t, err, fs.ErrExist)
	_, err = posixsem.Open("/none\x00", 0, 0, 0)
	assert.ErrorIs(t, err, unix.EINVAL)
	_, err = posixsem.Open(s.Name(), unix.O_CREAT, 0o600, 1<<40)
	assert.ErrorIs(t, err, unix.EINVAL)
	assert.ErrorIs(t, posixsem.Unlink("/none\x00"), unix.EINVAL)
}

func TestASemaphoreIsClosedOnce(t *testing.T) {
	first := named(t, 1)
	second, err := posixsem.Open(first.Name(), 0, 0, 0)
	require.NoError(t, err)
	require.NoError(t, second.Close())
	assert.ErrorIs(t, second.Close(), unix.EINVAL)
	require.NoError(t, first.Wait(), "the other one stays open")
	assert.Zero(t, value(t, first))
}

var _ = ipctest.Role("modes", func(args []string) int {
	for _, umask := range []int{0, 0o022, 0o777} {
		unix.Umask(umask)
		for _, mode := range []uint32{0o600, 0o666, 0o640, 0o400, 0} {
			for _, flags := range []int{unix.O_CREAT, unix.O_CREAT | unix.O_EXCL} {
				s, err := posixsem.Open(args[0], flags, mode, 7)
				if err != nil {
					fmt.Println(err)
					return 10
				}
				st, err := os.Stat("/dev/shm/sem." + args[0][1:])
				if err != nil || st.Mode() != fs.FileMode(mode) {
					fmt.Printf("umask %o, mode %o, flags %x: %v %v\n", umask, mode, flags, st.Mode(), err)
					return 11
				}
				if v, err := s.Value(); v != 7 || s.Close() != nil || posixsem.Unlink(args[0]) != nil {
					fmt.Println(v, err)
					return 12
				}
			}
		}
	}
	return 0
})

func TestANewSemaphoreHasItsModeWhateverTheUmask(t *testing.T) {
	out, err := ipctest.Command(t, "modes", "/"+ipctest.Name(t)).CombinedOutput()
	assert.NoError(t, err, string(out))
}

func TestOfManyWhoMakeOneSemaphoreOneMakesIt(t *testing.T) {
	name := "/" + ipctest.Name(t)
	for range 50 {
		var running sync.WaitGroup
		all := make([]*posixsem.Sem, 8)
		for i := range all {
			running.Go(func() {
				s, err := posixsem.Open(name, unix.O_CREAT, 0o600, uint(i+1))
				if assert.NoError(t, err) {
					all[i] = s
				}
			})
		}
		running.Wait()
		require.False(t, t.Failed())
		want := value(t, all[0])
		assert.Positive(t, want)
		for _, s := range all {
			assert.Equal(t, want, value(t, s))
			require.NoError(t, s.Close())
		}
		require.NoError(t, posixsem.Unlink(name))
	}
}

func TestListNamesTheSemaphoresThatAreThere(t *testing.T) {
	one, two := named(t, 1), named(t, 2)
	other := "/dev/shm/sem." + ipctest.Name(t)
	require.NoError(t, os.WriteFile(other, []byte("no semaphore"), 0o600))
	defer os.Remove(other)
	list, err := posixsem.List()
	require.NoError(t, err)
	assert.Contains(t, list, one.Name())
	assert.Contains(t, list, two.Name())
	assert.NotContains(t, list, "/"+strings.TrimPrefix(other, "/dev/shm/sem."))
	assert.IsIncreasing(t, list)
}

func TestPerlReadsTheValueInTheFile(t *testing.T) {
	s := named(t, 1234567)
	require.NoError(t, s.Wait())
	out := ipctest.Output(t, "perl", "-e",
		`open my $f, "<", $ARGV[0] or die $!; read $f, my $sem, 100; print length $sem, " ", unpack("l", $sem)`,
		"/dev/shm/sem."+s.Name()[1:])
	assert.Equal(t, fmt.Sprintf("%d %d", posixsem.Size, 1234566), out)
}
