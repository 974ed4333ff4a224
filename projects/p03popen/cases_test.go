package p03popen

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/process"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func find(t *testing.T, name string) *Case {
	t.Helper()
	for i := range Cases {
		if Cases[i].Name == name {
			return &Cases[i]
		}
	}
	t.Fatalf("no case %q", name)
	return nil
}

func TestCases(t *testing.T) {
	for _, impl := range []Implementation{Mine, Libc} {
		for i := range Cases {
			t.Run(impl.Name+"/"+Cases[i].Name, func(t *testing.T) {
				var said bytes.Buffer
				passed := Run(impl, &Cases[i], &said)
				assert.True(t, passed, said.String())
				assert.NotContains(t, said.String(), "FAIL")
			})
		}
	}
}

func TestCaseNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Cases {
		assert.False(t, seen[c.Name], c.Name)
		assert.NotEmpty(t, c.Shows, c.Name)
		seen[c.Name] = true
	}
	assert.GreaterOrEqual(t, len(Cases), 25)
}

// closer is a stream that is closed in another way.
type closer struct {
	stream
	close func(*Stream) (process.Status, error)
}

func (c closer) Close() (process.Status, error) { return c.close(c.stream.(*Stream)) }

func TestTheTableNoticesAnImplementationThat(t *testing.T) {
	// opening makes an implementation that opens by f and closes as it should.
	opening := func(f func(command, mode string) (*Stream, error)) Implementation {
		return Implementation{
			open:    func(command, mode string) (stream, error) { return f(command, mode) },
			unknown: Mine.unknown,
		}
	}
	// closing makes one that opens as it should and closes by f. Children that f
	// does not wait for are its to leave.
	closing := func(f func(*Stream) (process.Status, error)) Implementation {
		return Implementation{
			open: func(command, mode string) (stream, error) {
				s, err := Open(command, mode)
				return closer{s, f}, err
			},
			unknown: func() stream { return closer{new(Stream), f} },
		}
	}
	// forget takes a stream out of the table.
	forget := func(s *Stream) *process.Process {
		table.Lock()
		defer table.Unlock()
		child := table.children[s]
		delete(table.children, s)
		return child
	}
	wait := func(pid int) (process.Status, error) {
		var ws unix.WaitStatus
		_, err := unix.Wait4(pid, &ws, 0, nil)
		return process.Status(ws), err
	}

	for _, fault := range []struct {
		name, caught string // by this case
		impl         Implementation
	}{
		{"leaves the other streams open in a command", "closed-in-child", func() Implementation {
			children := map[*Stream]*process.Process{}
			impl := closing(func(s *Stream) (process.Status, error) {
				table.Lock()
				table.children[s] = children[s]
				table.Unlock()
				return s.Close()
			})
			open := impl.open
			impl.open = func(command, mode string) (stream, error) {
				s, err := open(command, mode)
				children[s.(closer).stream.(*Stream)] = forget(s.(closer).stream.(*Stream))
				return s, err
			}
			return impl
		}()},
		{"closes the command's standard input when it has another stream's number", "stdin-closed",
			opening(func(command, mode string) (*Stream, error) {
				if strings.HasPrefix(command, "read") {
					command = "exec <&-; " + command
				}
				return Open(command, mode)
			})},
		{"does not know e", "mode-re", opening(func(command, mode string) (*Stream, error) {
			return Open(command, strings.ReplaceAll(mode, "e", ""))
		})},
		{"sets close-on-exec always", "mode-w", opening(func(command, mode string) (*Stream, error) {
			return Open(command, mode+"e")
		})},
		{"accepts rw", "mode-rw", opening(func(command, mode string) (*Stream, error) {
			return Open(command, strings.TrimSuffix(mode, "w"))
		})},
		{"keeps a descriptor", "ls", opening(func(command, mode string) (*Stream, error) {
			fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 100)
			require.NoError(t, err)
			t.Cleanup(func() { _ = unix.Close(fd) })
			return Open(command, mode)
		})},
		{"lets a command ignore SIGPIPE", "sigpipe", opening(func(command, mode string) (*Stream, error) {
			return Open("trap '' PIPE; yes 2>/dev/null; exit 1", mode)
		})},
		{"loses the exit status", "exit-42", closing(func(s *Stream) (process.Status, error) {
			_, err := s.Close()
			return 0, err
		})},
		{"takes a death by signal for an exit", "killed-term", closing(func(s *Stream) (process.Status, error) {
			status, err := s.Close()
			return process.Status(status.Shell() << 8), err
		})},
		{"does not wait", "exit-42", closing(func(s *Stream) (process.Status, error) {
			pid := forget(s).Pid()
			t.Cleanup(func() { _, _ = wait(pid) })
			return 42 << 8, s.end().Close()
		})},
		{"waits for any child", "other-child", closing(func(s *Stream) (process.Status, error) {
			pid := forget(s).Pid()
			t.Cleanup(func() { _, _ = wait(pid) })
			_ = s.end().Close()
			return wait(-1)
		})},
		{"gives up when a signal arrives", "eintr", closing(func(s *Stream) (process.Status, error) {
			pid := forget(s).Pid()
			_ = s.end().Close()
			status, err := wait(pid)
			if err != nil {
				_, _ = process.Adopt(pid).Wait()
			}
			return status, err
		})},
		{"closes what is not its own", "unknown", closing(func(s *Stream) (process.Status, error) {
			status, _ := s.Close()
			return status, nil
		})},
	} {
		t.Run(fault.name, func(t *testing.T) {
			runtime.LockOSThread() // wait(2) for any child begins with the thread's own
			defer runtime.UnlockOSThread()
			var said bytes.Buffer
			assert.False(t, Run(fault.impl, find(t, fault.caught), &said), said.String())
			assert.Contains(t, said.String(), "FAIL")
			assert.NotContains(t, said.String(), "PASS")
		})
	}
}
