package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/exercise"
	"unpipc/projects/internal/programs"
	"unpipc/projects/p01pipeline"
)

func TestMain(m *testing.M) {
	status := ipctest.Main(m)
	if ours, _ := filepath.Glob(filepath.Join(os.TempDir(), fmt.Sprintf("unpipc-%d-suite-*", os.Getpid()))); len(ours) > 0 {
		os.RemoveAll(ours[0])
	}
	os.Exit(status)
}

func TestExercisesAreDescribed(t *testing.T) {
	for _, e := range all() {
		t.Run(e.Title, func(t *testing.T) {
			assert.True(t, strings.HasPrefix(e.Folder, e.Bin()), "folder %s of %s", e.Folder, e.Heading())
			for _, text := range []string{e.Title, e.Book, e.Mechanisms, e.Look} {
				assert.NotEmpty(t, text)
			}
			dir := filepath.Join(programs.Root(), "projects", e.Folder)
			parts := []string{"README.md", "doc.go", "ref", "testdata/session.txtar"}
			if e.Bin() == "lectures" { // they are small, and have one README
				parts = []string{"../README.md", "ref", "testdata/session.txtar"}
			}
			for _, part := range parts {
				_, err := os.Stat(filepath.Join(dir, part))
				assert.NoError(t, err)
			}
			for _, program := range e.Programs {
				assert.FileExists(t, filepath.Join(dir, program, "main.go"))
				assert.FileExists(t, filepath.Join(dir, "ref", program+".c"))
			}
		})
	}
}

// The tables come from the descriptions by "make generate".
func TestTablesInTheReadmesAreCurrent(t *testing.T) {
	for file, prefix := range map[string]string{"README.md": "projects/", "projects/README.md": ""} {
		var table bytes.Buffer
		writeList(&table, true)
		text, err := os.ReadFile(filepath.Join(programs.Root(), file))
		require.NoError(t, err)
		_, rest, found := strings.Cut(string(text), "<!-- exercises -->\n")
		require.True(t, found, "%s has no table", file)
		got, _, _ := strings.Cut(rest, "<!-- end -->")
		assert.Equal(t, strings.ReplaceAll(table.String(), "](p", "]("+prefix+"p"), got, "%s: run make generate", file)
	}
}

func TestVerifyPassesTheReference(t *testing.T) {
	built := programs.Build(t, "p01pipeline")
	var out bytes.Buffer
	assert.True(t, verified(t, &out, &p01pipeline.Exercise, built.C), out.String())
	assert.Contains(t, out.String(), " 0 failed")
}

// Programs that get one thing wrong must be refused, and the verdict must say
// what was expected of them.
func TestVerifyRefusesBrokenPrograms(t *testing.T) {
	built := programs.Build(t, "p01pipeline")
	for _, broken := range []struct{ name, script, program, complaint string }{
		{"one that gives everything to a shell", "words",
			`exec sh -c "$(IFS='|'; echo "$*")"`,
			"FAIL  Nothing else is special: no variables, no patterns, no operators"},
		{"one that always succeeds", "status",
			`mypipe "$@"; exit 0`,
			"FAIL  The status is the last command's, whatever the others did"},
		{"one that leaves an end of a pipe open", "session",
			`test -p fifo || mkfifo fifo; exec 9<>fifo; mypipe "$@"`,
			"FAIL  While it runs, neither the parent nor a child has any descriptor but 0, 1 and 2"},
		{"one that waits for its children in order", "session",
			`perl -e 'exec @ARGV' mypipe "$@" & exec sleep 2`,
			"FAIL  A child that ends early is waited for at once: no zombie while another still runs"},
	} {
		t.Run(broken.name, func(t *testing.T) {
			dir := t.TempDir()
			right := filepath.Join(dir, "right")
			require.NoError(t, os.Mkdir(right, 0o755))
			require.NoError(t, os.Symlink(filepath.Join(built.C, "mypipe"), filepath.Join(right, "mypipe")))
			text := fmt.Sprintf("#!/bin/bash\nPATH=%s:$PATH\n%s\n", right, broken.program)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "mypipe"), []byte(text), 0o755))

			one := p01pipeline.Exercise
			name := "testdata/" + broken.script + ".txtar"
			lines, err := fs.ReadFile(one.Scripts, name)
			require.NoError(t, err)
			one.Scripts = fstest.MapFS{name: {Data: lines}}
			var out bytes.Buffer
			assert.False(t, verified(t, &out, &one, dir))
			assert.Contains(t, out.String(), broken.complaint)
		})
	}
}

// verified plays an exercise's scripts over the programs in a folder.
func verified(t *testing.T, w io.Writer, e *exercise.Exercise, bin string) bool {
	t.Helper()
	tr, err := newTrial(e, bin, false, nil)
	require.NoError(t, err)
	require.NoError(t, playAll(t.Context(), []*trial{tr}, 1, nil))
	tr.write(w)
	return tr.passed()
}

func TestVerifyNamesAMissingProgram(t *testing.T) {
	status, _, stderr := suite(t, "verify", "1", "--bin", t.TempDir())
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "no program mypipe")
}

func TestCommandLinesThatMakeNoSense(t *testing.T) {
	for _, args := range [][]string{
		{"dance"}, {"run"}, {"run", "one"}, {"run", "99"}, {"run", "1", "2"}, {"verify", "1", "--bim", "x"},
		{"verify"}, {"verify", "--all", "1"}, {"verify", "1", "2", "--bin", "x"}, {"verify", "--all", "--bin", "x"},
		{"verify", "1", "--jobs", "0"}, {"verify", "--all", "--c", "--bin-root", "x"}, {"verify", "--mutants", "--c"},
		{"list", "extra"}, {"compare", "1", "--rounds", "0"}, {"benchmark"}, {"benchmark", "--only", "("},
		{"benchmark", "--all", "--runs", "0"}, {"benchmark", "--all", "--format", "xml"},
		{"benchmark", "--all", "--msg-size", "-1"}, {"benchmark", "--all", "--pin", "x"},
		{"benchmark", "--only", "no-row-of-this-name"}, {"benchmark", "--all", "--within", "0s"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			status, stdout, stderr := suite(t, args...)
			assert.Equal(t, 2, status)
			assert.Empty(t, stdout)
			assert.True(t, strings.HasPrefix(stderr, "ipc_suite: "), stderr)
		})
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	for _, c := range command().Commands() {
		status, stdout, _ := suite(t, c.Name(), "--help")
		assert.Zero(t, status)
		assert.Contains(t, stdout, "Usage:")
	}
}

func TestCleanListsThenRemovesWhatHasNoOwner(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	child := exec.Command("true")
	require.NoError(t, child.Run())
	dead := filepath.Join(os.TempDir(), fmt.Sprintf("unpipc-%d-script-1", child.Process.Pid))
	alive := filepath.Join(os.TempDir(), fmt.Sprintf("unpipc-%d-script-1", os.Getpid()))
	require.NoError(t, os.Mkdir(dead, 0o700))
	require.NoError(t, os.Mkdir(alive, 0o700))

	var out bytes.Buffer
	require.NoError(t, clean(&out, true))
	assert.Contains(t, out.String(), dead)
	assert.DirExists(t, dead)

	out.Reset()
	require.NoError(t, clean(&out, false))
	assert.Contains(t, out.String(), dead)
	assert.NoDirExists(t, dead)
	assert.DirExists(t, alive, "its process is there")
}

func TestDoctorTellsWhatIsLimitedAndHowToChangeIt(t *testing.T) {
	var out bytes.Buffer
	complete := writeFindings(&out, []finding{
		{what: "good", value: "1"},
		{what: "small", value: "2", limit: "little fits", remedy: "sysctl small=3"},
	})
	assert.True(t, complete)
	assert.Contains(t, out.String(), "small: little fits.\n  sysctl small=3")
	assert.False(t, writeFindings(&out, []finding{{what: "cc", missing: true, limit: "nothing works"}}))

	found := map[string]string{}
	for _, f := range examine(t.Context()) {
		assert.NotEmpty(t, f.value, f.what)
		assert.Equal(t, f.limit == "", f.remedy == "", "%s: a limit and a remedy, or neither", f.what)
		found[f.what] = f.value
	}
	assert.Equal(t, "4096 bytes", found["PIPE_BUF"])
}

// suite runs the command in a process of its own.
func suite(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	program, err := built()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), program, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the status says it
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// built builds the command once, into a folder that TestMain removes.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-suite-", os.Getpid()))
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", dir+"/ipc_suite", ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return dir + "/ipc_suite", nil
})
