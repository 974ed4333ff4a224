package p03popen

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/programs"
	"unpipc/projects/internal/script"
)

func TestScripts(t *testing.T) { script.Test(t, "p03popen") }

func TestTheProgramsInGoAndCPrintTheSame(t *testing.T) {
	built := programs.Build(t, "p03popen")
	dir := t.TempDir()
	for _, name := range []string{"file1.txt", "file 2.txt", "\x01odd\xff\"\\.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	run := func(bin string, args ...string) string {
		cmd := exec.Command(filepath.Join(bin, "test_mypopen"), args...)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		out, err := cmd.Output()
		require.NoError(t, err, "%s\n%s", cmd, out)
		return string(out)
	}
	mine := run(built.Go)
	assert.Contains(t, mine, `Read: \x01odd\xff\"\\.txt\nfile 2.txt\nfile1.txt\n`)
	assert.Equal(t, mine, run(built.Go, "--impl", "libc"), "Go, libc")
	assert.Equal(t, mine, run(built.C, "--impl", "mine"), "C, mine")
	assert.Equal(t, mine, run(built.C, "--impl=libc"), "C, libc")
	assert.Equal(t, run(built.Go, "--list"), run(built.C, "--list"))
	assert.Equal(t, run(built.Go, "--help"), run(built.C, "--help"))
}

// output compiles testdata/<name>.c, which includes the reference's mypopen.h, and
// returns what it prints.
func output(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	out, err := exec.Command(cc, "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
		"-pthread", "-I", "ref", "-o", program, filepath.Join("testdata", name+".c")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	out, err = exec.Command(program).Output()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func TestMypcloseInCBesideGlibcsWithABuffer(t *testing.T) {
	assert.Equal(t, `mine exit 9: 2304 -
libc exit 9: 2304 -
mine exit 0: -1 Broken pipe
libc exit 0: -1 Broken pipe
flushed by mypclose
status 3
mine exit 9, closed: 2304 -, waited for
mine exit 0, closed: -1 Bad file descriptor, waited for
libc exit 9, closed: -1 Bad file descriptor, not waited for
`, output(t, "buffer"))
}

func TestACommandStartedDuringMypcloseInCDoesNotKeepTheStream(t *testing.T) {
	assert.Equal(t, "status 7\nstatus 0\n", output(t, "closing"))
}
