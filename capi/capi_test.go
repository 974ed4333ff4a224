package capi_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "unpipc"

func TestEveryHeaderCompilesAlone(t *testing.T) {
	headers, err := filepath.Glob("*.h")
	require.NoError(t, err)
	require.NotEmpty(t, headers)
	cflags, err := exec.Command("pkg-config", "--cflags", "libtirpc").Output()
	require.NoError(t, err, "pkg-config libtirpc")
	tirpc := strings.Fields(string(cflags))
	for _, language := range []string{"c", "c++"} {
		for _, h := range headers {
			t.Run(language+" "+h, func(t *testing.T) {
				args := append([]string{"-x", language, "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
					map[string]string{"c": "-std=c11", "c++": "-std=c++17"}[language], h}, tirpc...)
				out, err := exec.Command("gcc", args...).CombinedOutput()
				assert.NoError(t, err, "%s", out)
			})
		}
	}
}

func TestTheIndexNamesEveryHeader(t *testing.T) {
	doc, err := os.ReadFile("capi.go")
	require.NoError(t, err)
	headers, _ := filepath.Glob("*.h")
	for _, h := range headers {
		assert.Contains(t, string(doc), "\n//\t"+h+" ", "the package comment of capi.go does not list %s", h)
	}
}

func TestWhatRpcgenMadeIsCurrent(t *testing.T) {
	interfaces, err := filepath.Glob("*.x")
	require.NoError(t, err)
	require.NotEmpty(t, interfaces)
	for _, x := range interfaces {
		// "go test" keeps results by the files that it sees a test read.
		_, err := os.ReadFile(x)
		require.NoError(t, err)
	}
	root := t.TempDir()
	out, err := exec.Command("./rpcgen.sh", root).CombinedOutput()
	require.NoError(t, err, "%s", out)
	made := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		made++
		name, _ := filepath.Rel(root, path)
		fresh, err := os.ReadFile(path)
		require.NoError(t, err)
		checkedIn, err := os.ReadFile(filepath.Join("..", name))
		require.NoError(t, err)
		assert.Equal(t, string(fresh), string(checkedIn), "run capi/rpcgen.sh: %s is not what it makes", name)
		return nil
	}))
	assert.Equal(t, 4*len(interfaces), made)
}

// goPackage is the part of "go list -json" used here.
type goPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
	CgoFiles, CFiles                   []string
	Dir                                string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	require.NoError(t, err)
	var list []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// floor is the first folder of an import path within the module, "" for others.
func floor(path string) string {
	rest, ok := strings.CutPrefix(path, module+"/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// below lists the floors that a floor may import.
var below = map[string]map[string]bool{
	"capi":     {},
	"csrc":     {"capi": true},
	"gobind":   {"capi": true, "csrc": true, "gobind": true},
	"projects": {"gobind": true, "projects": true},
}

func TestArrowsPointDownOnly(t *testing.T) {
	for _, p := range packages(t) {
		allowed, known := below[floor(p.ImportPath)]
		require.True(t, known, "%s stands on no floor", p.ImportPath)
		imports := append(append(append([]string(nil), p.Imports...), p.TestImports...), p.XTestImports...)
		for _, i := range imports {
			if f := floor(i); f != "" && i != p.ImportPath {
				assert.True(t, allowed[f], "%s imports %s", p.ImportPath, i)
			}
		}
	}
}

func TestWhatIsSharedKnowsNoExercise(t *testing.T) {
	for _, p := range packages(t) {
		if !strings.HasPrefix(p.ImportPath, module+"/projects/internal/") {
			continue
		}
		for _, i := range append(p.Imports, p.TestImports...) {
			if strings.HasPrefix(i, module+"/projects/") {
				assert.True(t, strings.HasPrefix(i, module+"/projects/internal/"), "%s imports %s", p.ImportPath, i)
			}
		}
	}
}

func TestOnlyShimsHoldC(t *testing.T) {
	for _, p := range packages(t) {
		if floor(p.ImportPath) == "csrc" {
			assert.NotEmpty(t, p.CFiles, "%s has no C", p.ImportPath)
			continue
		}
		assert.Empty(t, p.CFiles, "C files of %s", p.ImportPath)
	}
}

// A reference that used our shims would prove nothing about them.
func TestReferencesUseLibcOnly(t *testing.T) {
	var refs []string
	for _, pattern := range []string{"../projects/*/ref/*.[ch]", "../projects/internal/*/ref/*.[ch]"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		refs = append(refs, files...)
	}
	require.NotEmpty(t, refs)
	for _, ref := range refs {
		text, err := os.ReadFile(ref)
		require.NoError(t, err)
		assert.NotContains(t, string(text), `#include "unp`, ref)
	}
}

// The build cache sees a changed header only through an import of capi.
func TestEveryUserOfAHeaderImportsCapi(t *testing.T) {
	users := 0
	for _, p := range packages(t) {
		if !includesHeader(t, p) {
			continue
		}
		users++
		assert.Contains(t, p.Imports, module+"/capi", "%s includes a header of capi", p.ImportPath)
	}
	assert.Positive(t, users)
}

func includesHeader(t *testing.T, p goPackage) bool {
	t.Helper()
	for _, name := range append(append([]string(nil), p.CgoFiles...), p.CFiles...) {
		text, err := os.ReadFile(filepath.Join(p.Dir, name))
		require.NoError(t, err)
		if strings.Contains(string(text), `#include "unp`) || strings.Contains(string(text), `#include "calc.h"`) {
			return true
		}
	}
	return false
}
