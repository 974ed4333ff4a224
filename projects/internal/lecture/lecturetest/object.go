// Package lecturetest tests what several of the lecture's programs have in common.
package lecturetest

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvshm"
	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/programs"
)

// Object is a named object that a program makes.
type Object struct {
	Folder, Program string // projects/<Folder>
	Args            []string
	Named           string                // in messages about it
	Ready           func(out string) bool // a process that has printed this has made it, and can be ended
	Gone            func() bool           // it is not there
	Leftovers       func() ([]exercise.Leftover, error)
	Others          int // objects that are made with it
}

// IsFound tests that the object of a killed process is left over, that it is not before,
// and that it can be removed.
func (o *Object) IsFound(t *testing.T) {
	marks := t.TempDir()
	t.Setenv("TMPDIR", marks)
	for language, program := range programs.Build(t, o.Folder).Both(o.Program) {
		p := o.start(t, program)
		ipctest.Eventually(t, func() bool { return o.Ready(p.out.String()) }, "it has made the object")
		ipctest.Eventually(t, func() bool { return o.recorded(marks) }, "and noted which it is")
		assert.Empty(t, Left(t, o.Leftovers), "in %s: it is in use", language)
		require.NoError(t, p.cmd.Process.Kill())
		<-p.ended
		l := Left(t, o.Leftovers)
		require.Len(t, l, 1+o.Others, language)
		for _, l := range l {
			assert.Contains(t, l.Name, o.Named)
			require.NoError(t, l.Remove())
		}
		assert.True(t, o.Gone())
		files, err := os.ReadDir(marks)
		require.NoError(t, err)
		assert.Empty(t, files)
	}
}

// recorded says whether the marks in the folder are complete.
func (o *Object) recorded(folder string) bool {
	files, _ := filepath.Glob(filepath.Join(folder, "*"))
	for _, file := range files {
		if st, err := os.Stat(file); err != nil || st.Size() == 0 {
			return false
		}
	}
	return len(files) == 1+o.Others
}

const contestants = 8 // as many in Go as in C

// IsTakenOverByOne lets many processes at once take the name over from one that was
// killed. One must get it and the others end with status 1 and a message. When that one is
// told to end, nothing may be left.
func (o *Object) IsTakenOverByOne(t *testing.T) {
	marks := t.TempDir()
	t.Setenv("TMPDIR", marks)
	program := programs.Build(t, o.Folder).Both(o.Program)
	for _, killed := range []string{"Go", "C"} {
		first := o.start(t, program[killed])
		ipctest.Eventually(t, func() bool { return o.Ready(first.out.String()) }, "it has the name")
		require.NoError(t, first.cmd.Process.Kill())
		<-first.ended
		require.False(t, o.Gone(), "kill -9 leaves it")

		// Who finds the gate closed waits there; so all begin as nearly at once as may be.
		gate, err := os.Create(filepath.Join(t.TempDir(), "gate"))
		require.NoError(t, err)
		require.NoError(t, unix.Flock(int(gate.Fd()), unix.LOCK_EX))
		var all []*contestant
		ended := make(chan *contestant, contestants)
		for i := range contestants {
			p := o.start(t, "flock", "--shared", "--no-fork", gate.Name(), program[[]string{"Go", "C"}[i%2]])
			all = append(all, p)
			go func() {
				<-p.ended
				ended <- p
			}()
		}
		require.NoError(t, gate.Close())
		for range contestants - 1 {
			var p *contestant
			select {
			case p = <-ended:
			case <-time.After(time.Minute):
				require.FailNow(t, "several have the name")
			}
			p.over = true
			assert.Equal(t, 1, p.cmd.ProcessState.ExitCode(), "%s: %s", p.cmd, p.out.String())
			assert.Contains(t, p.out.String(), o.Program+": ")
			assert.Contains(t, p.out.String(), o.Named)
		}
		for _, p := range all {
			if p.over {
				continue
			}
			ipctest.Eventually(t, func() bool { return o.Ready(p.out.String()) }, "one has the name")
			require.NoError(t, p.cmd.Process.Signal(unix.SIGTERM))
		}
		<-ended
		assert.True(t, o.Gone(), "the last one removes it")
		left, err := os.ReadDir(marks)
		require.NoError(t, err)
		assert.Empty(t, left)
	}
}

type contestant struct {
	cmd   *exec.Cmd
	out   ipctest.Log
	ended chan struct{}
	over  bool
}

// start starts a process whose standard input has no end before the test's.
func (o *Object) start(t *testing.T, argv ...string) *contestant {
	t.Helper()
	argv = append(argv, o.Args...)
	p := &contestant{cmd: exec.CommandContext(t.Context(), argv[0], argv[1:]...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	keyboard, typist, err := os.Pipe()
	require.NoError(t, err)
	p.cmd.Stdin = keyboard
	require.NoError(t, p.cmd.Start())
	require.NoError(t, keyboard.Close())
	go func() {
		_ = p.cmd.Wait() // its status is in ProcessState
		_ = typist.Close()
		close(p.ended)
	}()
	return p
}

// File is a file of some kind: an object that opens when a program has made it.
func File(folder, program, path string, open func() (io.Closer, error), leftovers func() ([]exercise.Leftover, error), args ...string) *Object {
	return &Object{
		Folder: folder, Program: program, Args: args, Named: path,
		Ready: func(string) bool {
			f, err := open()
			if err == nil {
				_ = f.Close()
			}
			return err == nil
		},
		Gone:      func() bool { _, err := os.Lstat(path); return os.IsNotExist(err) },
		Leftovers: leftovers,
	}
}

// Segment is System V shared memory, the key of which is added to args.
func Segment(folder, program string, leftovers func() ([]exercise.Leftover, error), args ...string) *Object {
	key := sysvshm.Key(ipctest.Key())
	attached := func() int {
		s, err := sysvshm.Get(key, 0, 0)
		if err != nil {
			return -1
		}
		st, err := s.Stat()
		if err != nil {
			return -1
		}
		return st.Attached
	}
	return &Object{
		Folder: folder, Program: program, Args: append(args, "--key", key.String()), Named: key.String(),
		Ready:     func(string) bool { return attached() > 0 },
		Gone:      func() bool { return attached() == -1 },
		Leftovers: leftovers,
	}
}
