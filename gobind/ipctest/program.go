package ipctest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// programs are those that this process's tests have compiled.
var programs struct {
	sync.Mutex
	dir string
	of  map[string]string // by source and libraries
}

// CProgram is a C program, compiled from one source file of the package the first time
// that a test asks for it, with the compiler $CC and the flags $CFLAGS, without any
// warning. libraries are linker flags: "-lrt". [Main] removes it.
func CProgram(t testing.TB, source string, libraries ...string) string {
	t.Helper()
	// "go test" keeps results by the files that it sees a test use, not the compiler.
	if _, err := os.Stat(source); err != nil {
		t.Fatal(err)
	}
	dir := Dir(t)
	programs.Lock()
	defer programs.Unlock()
	key := fmt.Sprint(source, libraries)
	if out := programs.of[key]; out != "" {
		return out
	}
	out := filepath.Join(dir, fmt.Sprintf("%d-%s", len(programs.of), strings.TrimSuffix(filepath.Base(source), ".c")))
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	args := []string{"-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-pthread"}
	args = append(args, strings.Fields(os.Getenv("CFLAGS"))...)
	args = append(append(args, "-o", out, source), libraries...)
	if text, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cc, err, text)
	}
	programs.of[key] = out
	return out
}

// Output is what an installed program prints, which must succeed within a minute.
func Output(t testing.TB, program string, args ...string) string {
	t.Helper()
	_, err := exec.LookPath(program)
	Require(t, err == nil, program)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	text, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, text)
	}
	return string(text)
}

// Dir is a folder for what the tests of a package build, and share. [Main] removes it.
func Dir(t testing.TB) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	if programs.dir == "" {
		dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-test-", os.Getpid()))
		if err != nil {
			t.Fatal(err)
		}
		programs.dir, programs.of = dir, map[string]string{}
	}
	return programs.dir
}

func removeDir() {
	if programs.dir != "" {
		os.RemoveAll(programs.dir)
	}
}
