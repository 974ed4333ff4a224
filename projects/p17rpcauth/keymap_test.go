package p17rpcauth

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/p17rpcauth/authdes"
)

func TestKeysAreFoundAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(path, []byte("# keys\n"), 0o600))
	for _, name := range []string{"ann@here", "bob@here"} {
		require.NoError(t, Generate(path, name, name+"'s", false))
	}
	m, err := ReadKeyMap(path)
	require.NoError(t, err)
	ann, err := m.Ring("ann@here", "ann@here's")
	require.NoError(t, err)
	bob, err := m.Ring("bob@here", "bob@here's")
	require.NoError(t, err)
	secret := authdes.DESKey{1, 2, 3, 4, 5, 6, 7, 8}
	sealed, err := ann.Seal("bob@here", secret)
	require.NoError(t, err)
	opened, err := bob.Open("ann@here", sealed)
	require.NoError(t, err)
	assert.Equal(t, secret, opened)

	_, err = m.Ring("ann@here", "bob@here's")
	assert.ErrorIs(t, err, authdes.ErrPassword)
	_, err = m.Ring("eve@here", "")
	assert.ErrorContains(t, err, "eve@here")
	_, err = ann.Seal("eve@here", secret)
	assert.ErrorContains(t, err, "eve@here")

	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	assert.Equal(t, "# keys", lines[0], "what was there stays")
	_, annsKeys, _ := strings.Cut(lines[1], ":")
	require.NoError(t, os.WriteFile(path, []byte(strings.Split(lines[2], ":")[0]+":"+annsKeys), 0o600))
	m, err = ReadKeyMap(path)
	require.NoError(t, err)
	_, err = m.Ring("bob@here", "ann@here's")
	assert.ErrorContains(t, err, "no pair")
}

func TestNobodysKeysAreLostWhenManyMakeSome(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	var done sync.WaitGroup
	for i := range 20 {
		done.Go(func() { assert.NoError(t, Generate(path, fmt.Sprint("user", i%10), "p", i >= 10)) })
		if i == 9 {
			done.Wait()
		}
	}
	done.Wait()
	m, err := ReadKeyMap(path)
	require.NoError(t, err)
	assert.Len(t, m.entries, 10)
	folder, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, folder, 1, "no unfinished file is left")
	st, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o644), st.Mode())
}

func TestABadLineIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, Generate(path, "ann@here", "p", false))
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	_, keys, _ := strings.Cut(strings.TrimSpace(string(good)), " ")
	public, sealed, _ := strings.Cut(keys, ":")
	for name, line := range map[string]string{
		"no keys":             "bob@here",
		"no secret key":       "bob@here " + public,
		"a third word":        "bob@here " + keys + " more",
		"a short public key":  "bob@here " + public[1:] + ":" + sealed,
		"a short secret key":  "bob@here " + public + ":" + sealed[1:],
		"no hex digits":       "bob@here " + public + ":x" + sealed[1:],
		"a public key of 1":   "bob@here " + strings.Repeat("0", 47) + "1:" + sealed,
		"too large a number":  "bob@here " + strings.Repeat("f", 48) + ":" + sealed,
		"a netname too long":  strings.Repeat("b", 256) + " " + keys,
		"a netname for twice": "ann@here " + keys,
	} {
		require.NoError(t, os.WriteFile(path, []byte(string(good)+"\n"+line+"\n"), 0o600))
		_, err := ReadKeyMap(path)
		assert.ErrorContains(t, err, path+":3: ", name)
		assert.Error(t, Generate(path, "new@here", "p", false), name)
		text, _ := os.ReadFile(path)
		assert.Equal(t, string(good)+"\n"+line+"\n", string(text), "%s: nothing is written", name)
	}
	_, err = ReadKeyMap(path + "x")
	assert.ErrorIs(t, err, os.ErrNotExist)
	for _, name := range []string{"", " a", "a b", "#a", "a\n", strings.Repeat("a", 256)} {
		assert.Error(t, Generate(path+"x", name, "p", false), name)
	}
}

func TestAPasswordIsTheFirstLineOfItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	for text, want := range map[string]string{"a b \nc": "a b ", "x": "x", "x\r\n": "x", "": "", "\n": "", "\nx": ""} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		got, err := Password(path, "")
		assert.Equal(t, want == "", err != nil, "%q", text)
		assert.Equal(t, want, got, "%q", text)
	}
	_, err := Password(path+"x", "")
	assert.ErrorIs(t, err, os.ErrNotExist)
}
