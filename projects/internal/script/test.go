package script

import (
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"unpipc/projects/internal/programs"
)

// Limit says that the C reference of a program does only what some scripts want.
type Limit struct {
	Program string
	Scripts []string // names without ".txtar"
}

// Test runs all scripts of projects/<folder> over its Go programs, over its C
// references, and over every mixture of the two that has at least one of each.
func Test(t *testing.T, folder string, limits ...Limit) {
	t.Helper()
	interruptible()
	built := programs.Build(t, folder)
	names := append([]string(nil), built.Names...)
	sort.Strings(names)
	for mix := range 1 << len(names) {
		inC, label := map[string]bool{}, []string{}
		for i, name := range names {
			inC[name] = mix&(1<<i) != 0
			label = append(label, name+map[bool]string{false: "=Go", true: "=C"}[inC[name]])
		}
		t.Run(strings.Join(label, ","), func(t *testing.T) {
			p := params(built.Mix(t, inC))
			files, err := filepath.Glob(filepath.Join(programs.Root(), "projects", folder, "testdata", "*.txtar"))
			if err != nil {
				t.Fatal(err)
			}
			p.Files = slices.DeleteFunc(files, func(file string) bool {
				script := strings.TrimSuffix(filepath.Base(file), ".txtar")
				return slices.ContainsFunc(limits, func(l Limit) bool {
					return inC[l.Program] && !slices.Contains(l.Scripts, script)
				})
			})
			// A command that hangs does not take all the time that the tests have.
			p.Deadline = time.Now().Add(time.Duration(len(p.Files)) * limit)
			if end, ok := t.Deadline(); ok && end.Before(p.Deadline) {
				p.Deadline = end
			}
			testscript.Run(t, p)
		})
	}
}
