// Package programs builds the programs of an exercise, in Go and in C, for tests:
// plain "go test" works without make.
package programs

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"unpipc/gobind/ipctest"
)

// Built are folders of programs with the same names.
type Built struct {
	Go, C string
	Names []string // the Go programs
}

// Build builds every program of projects/<folder> and its C references into a
// folder of this test process. CC, CFLAGS and the race detector are honoured:
//
//	CFLAGS="-O1 -g -fsanitize=address,undefined" go test -race ./projects/...
func Build(t testing.TB, folder string) *Built {
	t.Helper()
	source := filepath.Join(Root(), "projects", folder)
	b := &Built{Go: t.TempDir(), C: References(t, folder)}
	args := []string{"build", "-o", b.Go + "/"}
	if raceEnabled {
		args = append(args, "-race")
	}
	mains, err := filepath.Glob(filepath.Join(source, "*", "main.go"))
	if err != nil || len(mains) == 0 {
		t.Fatalf("no programs in %s: %v", source, err)
	}
	for _, m := range mains {
		b.Names = append(b.Names, filepath.Base(filepath.Dir(m)))
		args = append(args, filepath.Dir(m))
	}
	run(t, exec.Command("go", args...))
	return b
}

// References builds only the C references of projects/<folder>, and gives their folder.
func References(t testing.TB, folder string) string {
	t.Helper()
	source := filepath.Join(Root(), "projects", folder)
	seen(t, source)
	seen(t, filepath.Join(Root(), "projects", "internal")) // some references share its headers
	dir := t.TempDir()
	refs, _ := filepath.Glob(filepath.Join(source, "ref", "*.c"))
	for _, ref := range refs {
		out := filepath.Join(dir, strings.TrimSuffix(filepath.Base(ref), ".c"))
		run(t, exec.Command("make", "-s", "-C", Root(), "ref", "REF="+ref, "OUT="+out))
	}
	return dir
}

// Reference builds projects/internal/<name>/ref/<name>.c once in this test process, as
// the program ref/<name> of the folder that it returns.
func Reference(t testing.TB, name string) string {
	t.Helper()
	source := filepath.Join(Root(), "projects", "internal", name, "ref", name+".c")
	seen(t, filepath.Join(Root(), "projects", "internal"))
	bin := ipctest.Dir(t)
	out := filepath.Join(bin, "ref", name)
	if _, err := os.Stat(out); err != nil {
		if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
			t.Fatal(err)
		}
		run(t, exec.Command("make", "-s", "-C", Root(), "ref", "REF="+source, "OUT="+out))
	}
	return bin
}

// BuildPeers builds what an exercise's benchmark is compared with into the folder
// pNN/peers of out, as far as their libraries are there.
func BuildPeers(t testing.TB, folder, out string) {
	t.Helper()
	seen(t, filepath.Join(Root(), "projects", folder, "ref", "peers"))
	run(t, exec.Command("make", "-s", "-C", Root(), "peers", "EXERCISES="+folder, "OUT="+out))
}

// seen tells "go test" what the programs are made of: it keeps results, and knows
// only of files and variables that the test itself has looked at.
func seen(t testing.TB, source string) {
	t.Helper()
	_, _ = os.Getenv("CC"), os.Getenv("CFLAGS")
	err := filepath.WalkDir(source, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Both is where a program is, by its language.
func (b *Built) Both(program string) map[string]string {
	return map[string]string{"Go": filepath.Join(b.Go, program), "C": filepath.Join(b.C, program)}
}

// Mix makes a folder in which each named program is the Go or the C one.
func (b *Built) Mix(t testing.TB, inC map[string]bool) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range b.Names {
		from := b.Go
		if inC[name] {
			from = b.C
		}
		if err := os.Symlink(filepath.Join(from, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Root is the folder of go.mod.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

func run(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	cmd.Dir = Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatal(fmt.Errorf("%s: %w\n%s", cmd, err, out))
	}
}
