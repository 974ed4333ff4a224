package process_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pipe"
	"unpipc/gobind/process"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// output runs a program with its standard output in a pipe.
func output(t testing.TB, c process.Cmd) (string, process.Status) {
	t.Helper()
	r, w, err := pipe.New(0)
	require.NoError(t, err)
	defer r.Close()
	if c.Files == nil {
		c.Files = []int{0, w.Fd(), 2}
	}
	p, err := process.Start(&c)
	w.Close()
	require.NoError(t, err)
	out, err := io.ReadAll(r)
	require.NoError(t, err)
	st, err := p.Wait()
	require.NoError(t, err)
	return string(out), st
}

// sleeper starts a program that stays until the test ends.
func sleeper(t testing.TB, c process.Cmd) *process.Process {
	t.Helper()
	if c.Args == nil {
		c.Args = []string{"/bin/sleep", "60"}
	}
	p, err := process.Start(&c)
	require.NoError(t, err)
	t.Cleanup(func() {
		if p.Signal(unix.SIGKILL) == nil {
			_, err := p.Wait()
			assert.NoError(t, err)
		}
	})
	return p
}

func proc(t testing.TB, p *process.Process, file string) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.Pid(), file))
	require.NoError(t, err)
	return string(text)
}

func packed(list []string) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteString(s + "\x00")
	}
	return b.String()
}

func TestArgumentsAndEnvironmentArriveByteForByte(t *testing.T) {
	r, w, err := pipe.New(0)
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	args := []string{"/bin/sh", "-c", "read x", "", "two words", "a\nb", "\xff*$'\"\\", ""}
	for name, env := range map[string][]string{
		"none at all":   {},
		"odd ones":      {"A=", "B==x y\n", "=", "no equals sign", "", "A=again", "\xff=\xfe"},
		"a million":     {"BIG=" + strings.Repeat("x", 100_000), "BIG2=" + strings.Repeat("y", 130_000)},
		"many of them":  strings.Split(strings.Repeat("VARIABLE=value\x00", 20_000), "\x00"),
		"this process'": nil,
	} {
		t.Run(name, func(t *testing.T) {
			p := sleeper(t, process.Cmd{Args: args, Env: env, Files: []int{r.Fd(), -1, 2}})
			if env == nil {
				env = os.Environ()
			}
			// Start returns just before the kernel has laid them out.
			ipctest.Eventually(t, func() bool { return proc(t, p, "cmdline") == packed(args) }, "arguments are as given")
			ipctest.Eventually(t, func() bool { return proc(t, p, "environ") == packed(env) }, "environment is as given")
		})
	}
}

func TestTheProgramRunsInItsDirectory(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "here"), []byte("#!/bin/sh\npwd\n"), 0o700))
	for _, program := range []string{"/bin/pwd", "./here"} {
		out, st := output(t, process.Cmd{Args: []string{program}, Dir: dir})
		assert.Equal(t, dir+"\n", out, "a relative program is looked for from there")
		assert.Equal(t, 0, st.Code())
	}
	p := sleeper(t, process.Cmd{})
	own, err := os.Getwd()
	require.NoError(t, err)
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", p.Pid()))
	require.NoError(t, err)
	assert.Equal(t, own, cwd, "and without one in this process's")
}

func TestAGroupIsOwnJoinedOrInherited(t *testing.T) {
	own := 0
	leader := sleeper(t, process.Cmd{Group: &own})
	groupOf := func(p *process.Process) int {
		g, err := unix.Getpgid(p.Pid())
		require.NoError(t, err)
		return g
	}
	assert.Equal(t, leader.Pid(), groupOf(leader))
	joined := leader.Pid()
	assert.Equal(t, leader.Pid(), groupOf(sleeper(t, process.Cmd{Group: &joined})))
	assert.Equal(t, unix.Getpgrp(), groupOf(sleeper(t, process.Cmd{})))

	nobody, negative, huge := 1<<30, -2, 1<<32
	for _, g := range []*int{&nobody, &negative, &huge} {
		_, err := process.Start(&process.Cmd{Args: []string{"/bin/true"}, Group: g})
		var call *os.SyscallError
		require.ErrorAs(t, err, &call)
		assert.Equal(t, "setpgid", call.Syscall)
	}
}
