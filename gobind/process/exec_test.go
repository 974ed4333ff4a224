package process_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/process"
)

func script(t *testing.T, file, text string, mode os.FileMode) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, []byte(text), mode))
	return file
}

// noChildren says that no child is left, not even a zombie. Tests of this package
// do not run in parallel.
func noChildren(t *testing.T) {
	t.Helper()
	_, err := process.Ended(context.Background())
	assert.ErrorIs(t, err, unix.ECHILD)
}

func TestAProgramThatCannotBeExecutedIsAnErrorOfStart(t *testing.T) {
	t.Setenv("PATH", "/bin:/usr/bin") // whoever runs the tests may search these
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	script(t, file("plain"), "text", 0o600)
	script(t, file("lost"), "#!/no/such/interpreter\n", 0o700)
	script(t, file("garbage"), "\x7fELF\x02\x01\x01 cut short", 0o700)
	require.NoError(t, os.Symlink("loop", file("loop")))
	for name, c := range map[string]struct {
		cmd  process.Cmd
		op   string
		path string
		is   []error
	}{
		"missing":                      {process.Cmd{Args: []string{file("none")}}, "exec", file("none"), []error{fs.ErrNotExist, unix.ENOENT}},
		"missing in PATH":              {process.Cmd{Args: []string{"no-such-program"}}, "exec", "no-such-program", []error{fs.ErrNotExist}},
		"no name":                      {process.Cmd{Args: []string{""}}, "exec", "", []error{fs.ErrNotExist}},
		"no arguments":                 {process.Cmd{}, "exec", "", []error{fs.ErrNotExist}},
		"not executable":               {process.Cmd{Args: []string{file("plain")}}, "exec", file("plain"), []error{fs.ErrPermission, unix.EACCES}},
		"a directory":                  {process.Cmd{Args: []string{dir}}, "exec", dir, []error{fs.ErrPermission}},
		"below a file":                 {process.Cmd{Args: []string{file("plain/x")}}, "exec", file("plain/x"), []error{unix.ENOTDIR}},
		"without its interpreter":      {process.Cmd{Args: []string{file("lost")}}, "exec", file("lost"), []error{unix.ENOENT}},
		"a symbolic link to itself":    {process.Cmd{Args: []string{file("loop")}}, "exec", file("loop"), []error{unix.ELOOP}},
		"a name too long":              {process.Cmd{Args: []string{strings.Repeat("n", 256)}}, "exec", strings.Repeat("n", 256), []error{unix.ENAMETOOLONG}},
		"an argument too long":         {process.Cmd{Args: []string{"/bin/true", strings.Repeat("x", 1<<18)}}, "exec", "/bin/true", []error{unix.E2BIG}},
		"an environment too large":     {process.Cmd{Args: []string{"/bin/true"}, Env: []string{strings.Repeat("x", 1<<18)}}, "exec", "/bin/true", []error{unix.E2BIG}},
		"NUL in the name":              {process.Cmd{Args: []string{"/bin/true\x00/bin/false"}}, "exec", "/bin/true\x00/bin/false", []error{unix.EINVAL}},
		"NUL in an argument":           {process.Cmd{Args: []string{"/bin/true", "a\x00b"}}, "exec", "/bin/true", []error{unix.EINVAL}},
		"NUL in the environment":       {process.Cmd{Args: []string{"/bin/true"}, Env: []string{"A=\x00"}}, "exec", "/bin/true", []error{unix.EINVAL}},
		"NUL in the directory":         {process.Cmd{Args: []string{"/bin/true"}, Dir: "/\x00"}, "chdir", "/\x00", []error{unix.EINVAL}},
		"a missing directory":          {process.Cmd{Args: []string{"/bin/true"}, Dir: file("none")}, "chdir", file("none"), []error{fs.ErrNotExist}},
		"a file for a directory":       {process.Cmd{Args: []string{"/bin/true"}, Dir: file("plain")}, "chdir", file("plain"), []error{unix.ENOTDIR}},
		"a program not there from Dir": {process.Cmd{Args: []string{"./process.go"}, Dir: dir}, "exec", "./process.go", []error{unix.ENOENT}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := process.Start(&c.cmd)
			require.Error(t, err)
			assert.Nil(t, p)
			var pe *fs.PathError
			require.ErrorAs(t, err, &pe)
			assert.Equal(t, c.op, pe.Op)
			assert.Equal(t, c.path, pe.Path)
			for _, target := range c.is {
				assert.ErrorIs(t, err, target)
			}
			noChildren(t)
		})
	}
}

func TestTheProgramIsLookedForAsExecvpDoes(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"a", "b"} {
		script(t, file(name+"/both"), "#!/bin/sh\necho "+name+"\n", 0o700)
	}
	script(t, file("refused/both"), "", 0o600)
	script(t, file("refused/only-refused"), "", 0o600)
	script(t, file("file"), "", 0o600)
	script(t, file("b/only-b"), "#!/bin/sh\necho only b\n", 0o700)
	script(t, file("folder/both/x"), "", 0o700)
	t.Chdir(file("a"))
	for name, c := range map[string]struct {
		path   string // elements below dir; "" stays empty
		args   []string
		prints string
		err    error
	}{
		"the first one that has it":                 {path: "a:b", args: []string{"both"}, prints: "a\n"},
		"the next one if the first has it not":      {path: "a:b", args: []string{"only-b"}, prints: "only b\n"},
		"past elements that are missing":            {path: "none:b", args: []string{"both"}, prints: "b\n"},
		"past elements that are no directories":     {path: "file:b", args: []string{"both"}, prints: "b\n"},
		"past files that may not be executed":       {path: "refused:b", args: []string{"both"}, prints: "b\n"},
		"past directories of that name":             {path: "folder:b", args: []string{"both"}, prints: "b\n"},
		"an empty element is the current directory": {path: ":b", args: []string{"both"}, prints: "a\n"},
		"also at the end":                           {path: "none:", args: []string{"both"}, prints: "a\n"},
		"also in the middle":                        {path: "none::b", args: []string{"both"}, prints: "a\n"},
		"also when it is all there is":              {path: "", args: []string{"both"}, prints: "a\n"},
		"a slash in the name ends the search":       {path: "b", args: []string{"./both"}, prints: "a\n"},
		"nowhere":                                   {path: "a:b", args: []string{"none"}, err: unix.ENOENT},
		"a refusal is remembered":                   {path: "refused:b", args: []string{"only-refused"}, err: unix.EACCES},
		"else the last error counts":                {path: "b:file", args: []string{"none"}, err: unix.ENOTDIR},
	} {
		t.Run(name, func(t *testing.T) {
			var elements []string
			for element := range strings.SplitSeq(c.path, ":") {
				if element != "" {
					element = file(element)
				}
				elements = append(elements, element)
			}
			t.Setenv("PATH", strings.Join(elements, ":"))
			if c.err != nil {
				_, err := process.Start(&process.Cmd{Args: c.args})
				assert.ErrorIs(t, err, c.err)
				noChildren(t)
				return
			}
			out, st := output(t, process.Cmd{Args: c.args})
			assert.Equal(t, c.prints, out)
			assert.Zero(t, st.Code())
		})
	}
}

func TestWithoutPATHTheSystemsDirectoriesAreSearched(t *testing.T) {
	t.Setenv("PATH", "")
	require.NoError(t, os.Unsetenv("PATH"))
	out, _ := output(t, process.Cmd{Args: []string{"echo", "found"}})
	assert.Equal(t, "found\n", out)
}

func TestAFileWithoutAFormatIsRunByTheShell(t *testing.T) {
	dir := t.TempDir()
	script(t, filepath.Join(dir, "plain-script"), `printf '%s|' "$0" "$@"`, 0o700)
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	out, st := output(t, process.Cmd{Args: []string{"plain-script", "", "two words"}})
	assert.Equal(t, dir+"/plain-script||two words|", out)
	assert.Zero(t, st.Code())
	out, _ = output(t, process.Cmd{Args: []string{"./plain-script"}, Dir: dir})
	assert.Equal(t, "./plain-script|", out)
}
