// Package mutants makes deliberately broken programs out of an exercise's C references:
// what its scripts must refuse, or they would pass a reader's program that has the same
// mistake.
//
// A mutant is a file ref/mutants/NAME.mutant of the exercise: what its author did wrong,
// which section of which script refuses it, and the text of the reference that is
// replaced:
//
//	The parent does not wait for its children.
//
//	script: session
//	section: No zombie is left
//	-- mypipe.c --
//		wait_all();
//	-- becomes --
//		;
//
// The text must be in the named file of ref/ exactly once. There may be several pairs.
package mutants

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// Mutant is one broken program.
type Mutant struct {
	Name    string
	Mistake string // one paragraph
	Script  string // the name of the script that refuses it, without folder and suffix
	Section string // the title of the first section that fails
	Changes []Change
}

// Change is a replacement in one file of the reference.
type Change struct{ File, From, To string }

// becomes stands for the name of the replacement in a mutant's file.
const becomes = "becomes"

// Load reads the mutants of an exercise whose references are in folder ref, in the order
// of their names. There may be none.
func Load(ref string) ([]Mutant, error) {
	files, err := filepath.Glob(filepath.Join(ref, "mutants", "*.mutant"))
	if err != nil {
		return nil, err
	}
	var all []Mutant
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		m, err := parse(text)
		if err != nil {
			return nil, &fs.PathError{Op: "parse", Path: file, Err: err}
		}
		m.Name = strings.TrimSuffix(filepath.Base(file), ".mutant")
		all = append(all, *m)
	}
	return all, nil
}

func parse(text []byte) (*Mutant, error) {
	archive := txtar.Parse(text)
	mistake, expected, _ := strings.Cut(string(archive.Comment), "\n\n")
	m := &Mutant{Mistake: strings.Join(strings.Fields(mistake), " ")}
	for line := range strings.Lines(expected) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "script":
			m.Script = value
		case "section":
			m.Section = value
		default:
			return nil, fmt.Errorf("%q: script or section was expected", key)
		}
	}
	if m.Mistake == "" || m.Script == "" || m.Section == "" {
		return nil, errors.New("the mistake, an empty line, a script and a section are needed")
	}
	files := archive.Files
	for ; len(files) >= 2 && files[1].Name == becomes; files = files[2:] {
		m.Changes = append(m.Changes, Change{files[0].Name, string(files[0].Data), string(files[1].Data)})
	}
	if len(files) > 0 || len(m.Changes) == 0 {
		return nil, fmt.Errorf("pairs of a file and %q are needed", becomes)
	}
	return m, nil
}

// apply makes the changes in the files of folder ref.
func (m *Mutant) apply(ref string) error {
	for _, c := range m.Changes {
		file := filepath.Join(ref, c.File)
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if n := strings.Count(string(text), c.From); n != 1 || c.From == c.To {
			return fmt.Errorf("%s has the text to be replaced %d times instead of once:\n%s", c.File, n, c.From)
		}
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), c.From, c.To, 1)), 0o600); err != nil {
			return err
		}
	}
	return nil
}
