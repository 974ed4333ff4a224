package p03popen

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/process"
)

func TestOpenErrorsNameTheCommand(t *testing.T) {
	for _, tt := range []struct{ name, command, mode string }{
		{"a mode of both directions", "cat", "rw"},
		{"a letter that is none of the modes", "cat", "rx"},
		{"a NUL in the command, where C would cut it", "cat\x00dog", "r"},
		{"a NUL in the mode", "cat", "r\x00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Open(tt.command, tt.mode)
			assert.Nil(t, s)
			var path *fs.PathError
			require.ErrorAs(t, err, &path)
			assert.Equal(t, "mypopen", path.Op)
			assert.Equal(t, tt.command, path.Path)
			assert.ErrorIs(t, err, unix.EINVAL)
		})
	}
}

func TestAFailureOfTheKernelKeepsItsErrno(t *testing.T) {
	_, err := Open(fmt.Sprintf("echo %0200000d", 0), "r")
	var path *fs.PathError
	require.ErrorAs(t, err, &path)
	assert.ErrorIs(t, err, unix.E2BIG)
}

func TestAClosedStreamIsNotOpen(t *testing.T) {
	s, err := Open("echo unread", "r")
	require.NoError(t, err)
	assert.Positive(t, s.Fd())
	_, err = s.Close()
	require.NoError(t, err)

	_, err = s.Close()
	var call *os.SyscallError
	require.ErrorAs(t, err, &call)
	assert.ErrorIs(t, err, unix.ECHILD)
	assert.Equal(t, -1, s.Fd())
	_, err = s.Read(make([]byte, 1))
	assert.ErrorIs(t, err, unix.EBADF)
	assert.Equal(t, -1, new(Stream).Fd())
}

func TestACommandIsWaitedForThoughItsDescriptorWasClosedByOthers(t *testing.T) {
	s, err := Open("exit 6", "r")
	require.NoError(t, err)
	require.NoError(t, unix.Close(s.Fd()))
	status, err := s.Close()
	assert.ErrorIs(t, err, unix.EBADF)
	assert.Equal(t, 6, status.Code())
	assert.False(t, haveChildren())
}

func TestOfSeveralClosesOneGetsTheStatus(t *testing.T) {
	s, err := Open("cat >/dev/null; exit 5", "w")
	require.NoError(t, err)
	statuses := make(chan process.Status, 8)
	var closing sync.WaitGroup
	for range cap(statuses) {
		closing.Go(func() {
			if status, err := s.Close(); err == nil {
				statuses <- status
			} else if !errors.Is(err, unix.ECHILD) {
				t.Error(err)
			}
		})
	}
	closing.Wait()
	close(statuses)
	require.Len(t, statuses, 1)
	assert.Equal(t, 5, (<-statuses).Code())
}

// glibc passes "--" since 2.38 only, so this is no case of the table.
func TestACommandMayBeginWithADash(t *testing.T) {
	s, err := Open("-no-such-command 2>/dev/null || exit 3", "r")
	require.NoError(t, err)
	status, err := s.Close()
	require.NoError(t, err)
	assert.Equal(t, 3, status.Code(), "the shell's 2 would say that it was taken for an option")
}

func TestOsExecInheritsAStreamWithoutE(t *testing.T) {
	for mode, inherited := range map[string]bool{"w": true, "we": false} {
		t.Run(mode, func(t *testing.T) {
			s, err := Open("cat", mode)
			require.NoError(t, err)
			err = exec.Command("/bin/sh", "-c", fmt.Sprintf("test -e /proc/$$/fd/%d", s.Fd())).Run()
			assert.Equal(t, inherited, err == nil, "%v", err)
			_, err = s.Close()
			require.NoError(t, err)
		})
	}
}
