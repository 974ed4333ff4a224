package l14sockdgram

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/lecture/lecturetest"
	"unpipc/projects/internal/programs"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "lectures/l14sockdgram") }

func TestGoAndCAreInOneRing(t *testing.T) {
	built := programs.Build(t, "lectures/l14sockdgram")
	inGo, inC := filepath.Join(built.Go, "sock_dgram"), filepath.Join(built.C, "sock_dgram")
	for _, ring := range [][3]string{{inGo, inC, inGo}, {inC, inGo, inC}, {inGo, inC, inC}, {inC, inGo, inGo}} {
		dir := t.TempDir()
		var member [3]*ipctest.Peer
		for _, id := range []int{2, 1, 0} {
			cmd := exec.Command(ring[id], strconv.Itoa(id))
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+t.TempDir()) // two of them are killed
			member[id] = ipctest.Start(t, cmd)
			ipctest.Eventually(t, func() bool {
				_, err := os.Stat(filepath.Join(dir, "sock"+strconv.Itoa(id)))
				return err == nil
			}, "it has its name")
		}
		member[0].Tell("1\n-5\n2147483647")
		assert.Equal(t, []string{"Sent 1", "Received 3", "Sent -5", "Received -3", "Sent 2147483647", "Received -2147483647"}, member[0].Lines(6))
		assert.Equal(t, []string{"Received 1", "Sent 2"}, member[1].Lines(2))
		assert.Equal(t, []string{"Received 2", "Sent 3"}, member[2].Lines(2))
		require.Empty(t, member[0].Rest())
	}
}

func object(t *testing.T) *lecturetest.Object {
	t.Helper()
	t.Chdir(t.TempDir())
	return &lecturetest.Object{
		Folder: "lectures/l14sockdgram", Program: "sock_dgram", Args: []string{"1"}, Named: "sock1",
		Ready: func(string) bool {
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			require.NoError(t, err)
			defer unix.Close(fd)
			return unix.Connect(fd, &unix.SockaddrUnix{Name: "sock1"}) == nil
		},
		Gone:      func() bool { _, err := os.Lstat("sock1"); return os.IsNotExist(err) },
		Leftovers: Exercise.Leftovers,
	}
}

func TestWhatAKilledOneLeavesIsFound(t *testing.T) { object(t).IsFound(t) }

func TestOneOfManyMembersTakesOverWhatAKilledOneLeft(t *testing.T) { object(t).IsTakenOverByOne(t) }
