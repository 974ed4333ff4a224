// Package exercise is what the suite knows of every exercise.
package exercise

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"unpipc/projects/internal/measure"
)

// Exercise describes one exercise of the guide, or one program of the lecture. Each one's
// package has one.
type Exercise struct {
	N          int
	Folder     string   // below projects/: "p01pipeline", "lectures/l04fifo"
	Title      string   // "Shell pipeline"
	Book       string   // section of UNPv2 (or APUE) it belongs to
	Mechanisms string   // "pipe, fork, dup2, exec, wait"
	Programs   []string // names of its programs
	Look       string   // what to look for in the demonstration
	Scripts    fs.FS    // testdata/*.txtar; testdata/session.txtar is the demonstration
	// InC are the names of the scripts that the C references pass, where they do not do all
	// that the Go programs do. Nil: all.
	InC []string
	// Rows are what the benchmark measures of this exercise. May be nil.
	Rows func(cfg measure.Config) []measure.Row
	// Leftovers lists what killed programs of this exercise left on this machine
	// and no live one uses. May be nil.
	Leftovers func() ([]Leftover, error)
}

// Leftover is an object without an owner.
type Leftover struct {
	Name   string // as it can be found: a path, or "System V queue key 0x…"
	Why    string // how it is known to be dead
	Remove func() error
}

// Bin is the folder below bin/ with the exercise's programs: "p01", "lectures".
func (e *Exercise) Bin() string {
	if e.lecture() {
		return "lectures"
	}
	return fmt.Sprintf("p%02d", e.N)
}

func (e *Exercise) lecture() bool { return strings.HasPrefix(e.Folder, "lectures/") }

// Arg is what stands for the exercise on a command line: "1", "lecture-4".
func (e *Exercise) Arg() string {
	if e.lecture() {
		return fmt.Sprintf("lecture-%d", e.N)
	}
	return strconv.Itoa(e.N)
}

// Heading is the exercise's line over what is said of it.
func (e *Exercise) Heading() string {
	kind := "Exercise"
	if e.lecture() {
		kind = "Lecture"
	}
	return fmt.Sprintf("%s %d: %s", kind, e.N, e.Title)
}

// ScriptFiles are the paths in Scripts, those for the C references only if so asked.
func (e *Exercise) ScriptFiles(inC bool) ([]string, error) {
	files, err := fs.Glob(e.Scripts, "testdata/*.txtar")
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s has no scripts", e.Heading())
	}
	if !inC || e.InC == nil {
		return files, err
	}
	return slices.DeleteFunc(files, func(file string) bool {
		return !slices.Contains(e.InC, strings.TrimSuffix(path.Base(file), ".txtar"))
	}), err
}

// Missing are the programs of the exercise that the folder has not got.
func (e *Exercise) Missing(dir string) []string {
	var missing []string
	for _, name := range e.Programs {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil || st.IsDir() || st.Mode()&0o111 == 0 {
			missing = append(missing, name)
		}
	}
	return missing
}

// MainScript is the demonstration's path in Scripts.
const MainScript = "testdata/session.txtar"
