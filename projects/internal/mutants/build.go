package mutants

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// Build compiles the mutant of projects/<folder> below root, the folder of the Makefile,
// in a folder of its own, which the caller removes. The programs are then in bin; those
// that the change does not reach are the ones in the folder good.
func (m *Mutant) Build(ctx context.Context, root, folder, good, own string) (bin string, err error) {
	ref, err := copyOf(root, folder, own)
	if err != nil {
		return "", err
	}
	if err := m.apply(ref); err != nil {
		return "", err
	}
	bin = filepath.Join(own, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		return "", err
	}
	sources, err := filepath.Glob(filepath.Join(ref, "*.c"))
	if err != nil {
		return "", err
	}
	for _, source := range sources {
		program := strings.TrimSuffix(filepath.Base(source), ".c")
		out := filepath.Join(bin, program)
		if !m.reaches(ref, filepath.Base(source), map[string]bool{}) {
			if err := os.Symlink(filepath.Join(good, program), out); err != nil {
				return "", err
			}
			continue
		}
		cmd := exec.CommandContext(ctx, "make", "-s", "-C", root, "ref", "REF="+source, "OUT="+out)
		// A function that the mutant no longer calls is no news, and -O1 is fast to compile.
		cmd.Env = append(os.Environ(), "CFLAGS=-O1 -w "+os.Getenv("CFLAGS"))
		if text, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", cmd, err, text)
		}
	}
	return bin, nil
}

// copyOf copies the references of one exercise. What they include of others is reached
// by links.
func copyOf(root, folder, own string) (ref string, err error) {
	projects := filepath.Join(root, "projects")
	ref = filepath.Join(own, "projects", folder, "ref")
	if err := os.MkdirAll(ref, 0o700); err != nil {
		return "", err
	}
	if err := linkAll(projects, filepath.Join(own, "projects")); err != nil {
		return "", err
	}
	from := filepath.Join(projects, folder, "ref")
	if err := linkAll(from, ref); err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(from, "*.[ch]"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		copied := filepath.Join(ref, filepath.Base(file))
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.Remove(copied) // a link
		}
		if err == nil {
			err = os.WriteFile(copied, text, 0o600)
		}
		if err != nil {
			return "", err
		}
	}
	return ref, nil
}

// linkAll links what is in one folder into another, unless it has such a name already.
func linkAll(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		target := filepath.Join(to, e.Name())
		if _, err := os.Lstat(target); err == nil {
			continue
		}
		if err := os.Symlink(filepath.Join(from, e.Name()), target); err != nil {
			return err
		}
	}
	return nil
}

var include = regexp.MustCompile(`(?m)^#include "([^"/]+)"`)

// reaches says whether a file of the reference, or one that it includes, is changed.
func (m *Mutant) reaches(ref, file string, seen map[string]bool) bool {
	if seen[file] {
		return false
	}
	seen[file] = true
	for _, c := range m.Changes {
		if c.File == file {
			return true
		}
	}
	text, err := os.ReadFile(filepath.Join(ref, file))
	if err != nil {
		return false
	}
	for _, found := range include.FindAllStringSubmatch(string(text), -1) {
		if m.reaches(ref, found[1], seen) {
			return true
		}
	}
	return false
}
