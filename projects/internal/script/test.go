package script

import (
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"unpipc/projects/internal/programs"
)

// Test runs all scripts of projects/<folder> over its Go programs, over its C
// references, and over every mixture of the two that has at least one of each.
func Test(t *testing.T, folder string) {
	t.Helper()
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
			p.Dir = filepath.Join(programs.Root(), "projects", folder, "testdata")
			testscript.Run(t, p)
		})
	}
}
