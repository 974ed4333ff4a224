package popen_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/popen"
	"unpipc/gobind/process"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func open(t testing.TB, command, mode string) *popen.Stream {
	t.Helper()
	s, err := popen.Open(command, mode)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func closeOK(t testing.TB, s *popen.Stream) {
	t.Helper()
	st, err := s.Close()
	require.NoError(t, err)
	assert.Equal(t, "exit status 0", st.String())
}

func TestACommandsOutputIsRead(t *testing.T) {
	s := open(t, `echo one; printf 'two\n%s\n' "$(echo three)"`, "r")
	out, err := io.ReadAll(s)
	require.NoError(t, err)
	assert.Equal(t, "one\ntwo\nthree\n", string(out))
	closeOK(t, s)
}

func TestACommandsInputIsWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sorted")
	s := open(t, "sort > "+file, "w")
	_, err := io.WriteString(s, "b\nc\na\n")
	require.NoError(t, err)
	closeOK(t, s)
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "a\nb\nc\n", string(got), "Close has waited for it")
}

func TestModesAreThoseOfGlibc(t *testing.T) {
	for mode, c := range map[string]struct{ reads, cloexec bool }{
		"r":  {reads: true},
		"w":  {},
		"re": {reads: true, cloexec: true},
		"we": {cloexec: true},
		"er": {reads: true, cloexec: true},
	} {
		s := open(t, "cat < /dev/null", mode)
		flags, err := unix.FcntlInt(uintptr(s.Fd()), unix.F_GETFD, 0)
		require.NoError(t, err)
		assert.Equal(t, c.cloexec, flags == unix.FD_CLOEXEC, mode)
		if c.reads {
			_, err = s.Write([]byte("x"))
		} else {
			_, err = s.Read(make([]byte, 1))
		}
		assert.ErrorIs(t, err, unix.EBADF, "the other direction of %q", mode)
		closeOK(t, s)
	}
	for _, mode := range []string{"", "e", "rw", "x", "r+", "R", "r\x00"} {
		_, err := popen.Open("true", mode)
		var pe *fs.PathError
		require.ErrorAs(t, err, &pe, mode)
		assert.Equal(t, "popen", pe.Op)
		assert.Equal(t, "true", pe.Path)
		assert.ErrorIs(t, err, unix.EINVAL)
	}
	_, err := popen.Open("true\x00false", "r")
	assert.ErrorIs(t, err, unix.EINVAL, "not cut at the NUL")
}

func TestCloseReturnsTheShellsStatus(t *testing.T) {
	for command, want := range map[string]string{
		"exit 0":                "exit status 0",
		"exit 1":                "exit status 1",
		"exit 255":              "exit status 255",
		"exec /no/such/program": "exit status 127",
		"kill -TERM $$":         "killed by SIGTERM (terminated)",
		"kill -KILL $$":         "killed by SIGKILL (killed)",
		"sh -c 'exit 9'; :":     "exit status 0",
	} {
		s := open(t, command+" 2>&-", "r")
		_, err := io.ReadAll(s)
		require.NoError(t, err)
		st, err := s.Close()
		require.NoError(t, err)
		assert.Equal(t, want, st.String(), command)
	}
}

func TestMuchIsReadAndWritten(t *testing.T) {
	const size = 5_000_000
	s := open(t, fmt.Sprintf("head -c %d /dev/zero", size), "r")
	out, err := io.ReadAll(s)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(make([]byte, size), out))
	closeOK(t, s)

	count := filepath.Join(t.TempDir(), "count")
	s = open(t, "wc -c > "+count, "w")
	n, err := s.Write(out)
	require.NoError(t, err)
	assert.Equal(t, size, n)
	closeOK(t, s)
	got, err := os.ReadFile(count)
	require.NoError(t, err)
	assert.Equal(t, strconv.Itoa(size), strings.TrimSpace(string(got)))
}

func TestACommandThatDoesNotReadIsAnError(t *testing.T) {
	s := open(t, "exec <&-; exit 3", "w")
	var err error
	for err == nil {
		_, err = s.Write(make([]byte, 1<<16))
	}
	assert.ErrorIs(t, err, unix.EPIPE)
	st, err := s.Close()
	require.NoError(t, err)
	assert.Equal(t, 3, st.Code())
}

func TestAStreamIsClosedOnce(t *testing.T) {
	for _, mode := range []string{"r", "w"} {
		s := open(t, "cat < /dev/null", mode)
		closeOK(t, s)
		_, err := s.Close()
		var call *os.SyscallError
		require.ErrorAs(t, err, &call)
		assert.Equal(t, "pclose", call.Syscall)
		assert.ErrorIs(t, err, unix.ECHILD)
		// Its descriptor may be somebody else's by now.
		assert.Equal(t, -1, s.Fd())
		_, err = s.Read(make([]byte, 1))
		assert.ErrorIs(t, err, unix.EBADF)
		_, err = s.Write([]byte("x"))
		assert.ErrorIs(t, err, unix.EBADF)
	}
}

func TestAShellSomebodyElseWaitedForIsAnError(t *testing.T) {
	s := open(t, "exit 4", "r")
	pid, err := process.Ended(t.Context())
	require.NoError(t, err)
	st, err := process.Adopt(pid).Wait()
	require.NoError(t, err)
	assert.Equal(t, 4, st.Code())
	_, err = s.Close()
	assert.ErrorIs(t, err, unix.ECHILD)
}

func TestAShellHasNoEndOfAnEarlierStream(t *testing.T) {
	first := open(t, "cat > /dev/null", "w")
	second := open(t, "cat > /dev/null", "w")
	// If the second shell held the first pipe open, the first would never end.
	closeOK(t, first)
	closeOK(t, second)
}

func TestThreeHundredStreamsAreOpenAtOnce(t *testing.T) {
	var all []*popen.Stream
	for i := range 300 {
		all = append(all, open(t, fmt.Sprintf("echo %d", i), "re"))
	}
	var reading sync.WaitGroup
	for i, s := range all {
		reading.Go(func() {
			out, err := io.ReadAll(s)
			assert.NoError(t, err)
			assert.Equal(t, fmt.Sprintln(i), string(out))
			closeOK(t, s)
		})
	}
	reading.Wait()
}

func TestReadingAndWritingEndWithTheContext(t *testing.T) {
	// A shell that neither writes nor reads until its other input ends.
	hold, release, err := os.Pipe()
	require.NoError(t, err)
	defer hold.Close()
	command := fmt.Sprintf("exec head -c 1 < /proc/%d/fd/%d", os.Getpid(), hold.Fd())
	silent, deaf := open(t, command, "r"), open(t, command, "w")
	t.Cleanup(func() { release.Close() })
	for range 20 {
		why := errors.New("no longer wanted")
		ctx, cancel := context.WithCancelCause(context.Background())
		go cancel(why)
		_, err := silent.ReadContext(ctx, make([]byte, 1))
		require.Equal(t, why, err)
		_, err = deaf.WriteContext(ctx, make([]byte, 1<<20))
		require.Equal(t, why, err)
	}
	require.NoError(t, release.Close())
	closeOK(t, silent)
	closeOK(t, deaf)
}

// Roles for what is a whole process's.

var _ = ipctest.Role("popen without descriptors", func([]string) int {
	var files unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) != nil {
		return 10
	}
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: files.Max}) != nil {
		return 10
	}
	_, err := popen.Open("true", "r")
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &files) != nil {
		return 11
	}
	return map[bool]int{true: 5}[errors.Is(err, unix.EMFILE)]
})

func TestWithoutDescriptorsThereIsNoStream(t *testing.T) {
	cmd := ipctest.Command(t, "popen without descriptors")
	cmd.Run()
	assert.Equal(t, 5, cmd.ProcessState.ExitCode())
}

// They need 200 MB and 50 MB of C strings in all.
var _ = ipctest.MemoryRole("twenty thousand popens", func() bool {
	refused, long := strings.Repeat("x", 10_000), ": "+strings.Repeat("x", 100_000)
	for range 1000 {
		if _, err := popen.Open(refused, "neither r nor w"); !errors.Is(err, unix.EINVAL) {
			return false
		}
	}
	for range 25 {
		s, err := popen.Open(long, "r")
		if err != nil {
			return false
		}
		if _, err := s.Close(); err != nil {
			return false
		}
	}
	return true
})

func TestOpenKeepsNoMemory(t *testing.T) {
	ipctest.AssertKeepsNoMemory(t, "twenty thousand popens")
}
