package p17rpcauth

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/projects/p17rpcauth/authdes"
)

// KeyMap is a file of key pairs, as publickey(5) has it: a line for each netname.
//
//	unix.1000@example.org 8b3a…(48 digits):57c0…(64 digits)
//
// The first number is the public key, the second the secret one, sealed with its owner's
// password. It is for all to read, and for one to write.
type KeyMap struct {
	path    string
	lines   []string
	entries map[string]entry
}

type entry struct {
	line   int // from 0
	public authdes.PublicKey
	sealed string
}

// ReadKeyMap reads a whole file. Errors: *fs.PathError; others name file and line.
func ReadKeyMap(path string) (*KeyMap, error) {
	m := &KeyMap{path: path, entries: map[string]entry{}}
	f, err := os.Open(path)
	if err != nil {
		return m, err
	}
	defer f.Close()
	text := bufio.NewScanner(f)
	for text.Scan() {
		if err := m.parse(text.Text()); err != nil {
			return m, fmt.Errorf("%s:%d: %w", path, len(m.lines), err)
		}
	}
	if err := text.Err(); err != nil {
		return m, fmt.Errorf("%s:%d: %w", path, len(m.lines)+1, err)
	}
	return m, nil
}

func (m *KeyMap) parse(line string) (err error) {
	m.lines = append(m.lines, line)
	words := strings.Fields(line)
	if len(words) == 0 || words[0][0] == '#' {
		return nil
	}
	if len(words) != 2 {
		return errors.New("not a netname and its keys")
	}
	name, keys := words[0], words[1]
	public, sealed, _ := strings.Cut(keys, ":")
	e := entry{line: len(m.lines) - 1, sealed: sealed}
	if e.public, err = authdes.ParsePublicKey(public); err != nil {
		return err
	}
	if _, err := authdes.OpenSecret(sealed, ""); err != nil && !errors.Is(err, authdes.ErrPassword) {
		return err
	}
	if len(name) > authdes.MaxName {
		return fmt.Errorf("a netname of more than %d bytes", authdes.MaxName)
	}
	if earlier, ok := m.entries[name]; ok {
		return fmt.Errorf("%s has keys in line %d already", name, earlier.line+1)
	}
	m.entries[name] = e
	return nil
}

// Public is the public key of a netname.
func (m *KeyMap) Public(name string) (authdes.PublicKey, error) {
	e, ok := m.entries[name]
	if !ok {
		return e.public, fmt.Errorf("%s: no key of %s", m.path, name)
	}
	return e.public, nil
}

// Ring holds the secret key of a netname, and may be asked for all public ones.
func (m *KeyMap) Ring(name, password string) (authdes.KeyRing, error) {
	public, err := m.Public(name)
	if err != nil {
		return authdes.KeyRing{}, err
	}
	secret, err := authdes.OpenSecret(m.entries[name].sealed, password)
	if err != nil {
		return authdes.KeyRing{}, fmt.Errorf("%s: the key of %s: %w", m.path, name, err)
	}
	if secret.Public() != public {
		return authdes.KeyRing{}, fmt.Errorf("%s: the keys of %s are no pair", m.path, name)
	}
	return authdes.KeyRing{Secret: secret, Public: m.Public}, nil
}

// Generate makes a key pair for a netname and puts it into the file at path, which it
// makes if it is not there, with mode 0644. Readers see the old file or the new one,
// whole. A netname that has keys is an error unless replace is set.
func Generate(path, name, password string, replace bool) error {
	if name == "" || len(name) > authdes.MaxName || len(strings.Fields(name)) != 1 || name[0] == '#' || strings.TrimSpace(name) != name {
		return fmt.Errorf("%q: no netname", name)
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close() // and with it goes the lock, which keeps others from writing
	if err := unix.Flock(int(folder.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", folder.Name(), err)
	}
	m, err := ReadKeyMap(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	public, secret, err := authdes.NewKeys()
	if err != nil {
		return err
	}
	line := fmt.Sprintf("%s %v:%s", name, public, authdes.SealSecret(secret, password))
	if old, ok := m.entries[name]; !ok {
		m.lines = append(m.lines, line)
	} else if replace {
		m.lines[old.line] = line
	} else {
		return fmt.Errorf("%s:%d: %s has keys already", path, old.line+1, name)
	}
	return m.write(folder)
}

// write replaces the file.
func (m *KeyMap) write(folder *os.File) (err error) {
	f, err := os.CreateTemp(folder.Name(), filepath.Base(m.path)+".new")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.WriteString(strings.Join(m.lines, "\n") + "\n"); err != nil {
		return err
	}
	if err = errors.Join(f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), m.path); err != nil {
		return err
	}
	return folder.Sync()
}
