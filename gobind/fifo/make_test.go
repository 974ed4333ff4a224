package fifo_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/fifo"
	"unpipc/gobind/ipctest"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func newFIFO(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, fifo.Make(path, 0o600))
	return path
}

// Roles: the umask and the limit of descriptors are the whole process's.

var _ = ipctest.Role("make under a umask", func(args []string) int {
	mask, _ := strconv.ParseUint(args[0], 8, 32)
	unix.Umask(int(mask))
	for _, mode := range args[2:] {
		m, _ := strconv.ParseUint(mode, 8, 32)
		path := filepath.Join(args[1], mode)
		if err := fifo.Make(path, uint32(m)); err != nil {
			fmt.Println(err)
			return 10
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return 11
		}
		fmt.Printf("%o ", st.Mode)
	}
	if unix.Umask(0) != int(mask) {
		return 12
	}
	return 0
})

func TestAFIFOHasExactlyTheModeThatWasAskedFor(t *testing.T) {
	modes := []string{"600", "666", "777", "620", "644", "0", "1777", "2770", "4755", "7777"}
	for _, umask := range []string{"0", "022", "077", "777"} {
		t.Run("umask "+umask, func(t *testing.T) {
			args := append([]string{umask, t.TempDir()}, modes...)
			out, err := ipctest.Command(t, "make under a umask", args...).Output()
			require.NoError(t, err, string(out))
			for i, got := range strings.Fields(string(out)) {
				want, _ := strconv.ParseUint(modes[i], 8, 32)
				assert.Equal(t, fmt.Sprintf("%o", unix.S_IFIFO|want), got)
			}
		})
	}
}

var _ = ipctest.Role("make without descriptors", func(args []string) int {
	unix.Umask(0o077)
	var files unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) != nil {
		return 10
	}
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: files.Max}) != nil {
		return 10
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &files)
	if err := fifo.Make(filepath.Join(args[0], "plain"), 0o600); err != nil {
		return 11 // the umask takes nothing, so none is needed
	}
	path := filepath.Join(args[0], "open")
	if err := fifo.Make(path, 0o666); err == nil {
		return 12
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != unix.ENOENT {
		return 13 // what could not be made right is not left behind
	}
	return 5
})

func TestMakeMakesAllOrNothing(t *testing.T) {
	cmd := ipctest.Command(t, "make without descriptors", t.TempDir())
	out, _ := cmd.CombinedOutput()
	assert.Equal(t, 5, cmd.ProcessState.ExitCode(), string(out))
}

func TestMakeRefusesWhatMkfifoRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, fifo.Make(file("fifo"), 0o600))
	require.NoError(t, os.WriteFile(file("file"), nil, 0o600))
	require.NoError(t, os.Symlink("nowhere", file("link")))
	for path, errno := range map[string]syscall.Errno{
		file("fifo"):                   unix.EEXIST,
		file("file"):                   unix.EEXIST,
		file("link"):                   unix.EEXIST,
		dir:                            unix.EEXIST,
		file("none/fifo"):              unix.ENOENT,
		file("file/fifo"):              unix.ENOTDIR,
		file(strings.Repeat("n", 256)): unix.ENAMETOOLONG,
		file("a\x00b"):                 unix.EINVAL,
		"":                             unix.ENOENT,
	} {
		ipctest.IsPathError(t, fifo.Make(path, 0o600), "mkfifo", path, errno)
	}
	assert.ErrorIs(t, fifo.Make(file("fifo"), 0o600), fs.ErrExist)
	ipctest.IsPathError(t, fifo.Make(file("new"), unix.S_IFREG|0o600), "mkfifo", file("new"), unix.EINVAL)
	assert.NoFileExists(t, file("nowhere"), "nothing was made through the link")
}
