package cache

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/kvrpc"
	"unpipc/gobind/posixshm"
)

// cReader is the reader in C of ref/cache.h.
func cReader(t *testing.T, name string) *ipctest.Peer {
	t.Helper()
	_, err := os.Stat("../ref/cache.h") // what the program is made of
	require.NoError(t, err)
	_, err = os.Stat("../ref/crc.h")
	require.NoError(t, err)
	return ipctest.Start(t, exec.CommandContext(t.Context(), ipctest.CProgram(t, "testdata/reader.c", "-lrt"), name))
}

func TestDamageDoesNoHarmInC(t *testing.T) {
	whole, s := told(t)
	h := headerOf(whole)
	chance := rand.New(rand.NewPCG(1, 2))
	for round := range 20 {
		name := "/" + ipctest.Name(t)
		damaged := append([]byte(nil), whole...)
		for range 1 << chance.IntN(14) {
			at := 128 + chance.IntN(len(damaged)-128)
			if round%2 == 0 {
				at = indexAt + chance.IntN(int(h.buckets)*ways*wordSize)
			}
			damaged[at] = byte(chance.Uint32())
		}
		require.NoError(t, os.WriteFile(filepath.Join("/dev/shm", name), damaged, 0o600))
		p := cReader(t, name)
		assert.Equal(t, "opened", p.Line())
		for i := range s.keys {
			p.Tell("%x", keyName(i))
			verdict := strings.Fields(p.Line())[3]
			assert.Contains(t, []string{"found", "missed", "damaged"}, verdict)
		}
		assert.Empty(t, p.Rest())
		require.NoError(t, posixshm.Unlink(name))
	}
	for bit := range headerSize * 8 {
		if bit%13 > 0 { // each takes a process
			continue
		}
		name := "/" + ipctest.Name(t)
		damaged := append([]byte(nil), whole...)
		damaged[bit/8] ^= 1 << (bit % 8)
		require.NoError(t, os.WriteFile(filepath.Join("/dev/shm", name), damaged, 0o600))
		assert.Equal(t, []string{"not a cache that this program can read"}, cReader(t, name).Rest(), "bit %d", bit)
		require.NoError(t, posixshm.Unlink(name))
	}
}

// said is what the reader in C is to say.
func said(life Life, f Found) string {
	if !f.Present {
		return fmt.Sprintf("%v %d missed", life, f.Index)
	}
	return fmt.Sprintf("%v %d found %d %08x", life, f.Index, f.Revision, crc32.Checksum(f.Value, castagnoli))
}

// ask asks the reader in C, and leaves the age out.
func ask(t *testing.T, p *ipctest.Peer, key string) string {
	t.Helper()
	p.Tell("%x", key)
	words := strings.Fields(p.Line())
	require.Greater(t, len(words), 3, "%v", words)
	var age uint64
	_, err := fmt.Sscan(words[2], &age)
	require.NoError(t, err)
	return strings.Join(append(words[:2], words[3:]...), " ")
}

func TestCReadsWhatGoWrites(t *testing.T) {
	w, r := pair(t, MinSize)
	p := cReader(t, w.object.Name())
	require.Equal(t, "opened", p.Line())
	keys := []string{"", "k", "\x00\xff\n", strings.Repeat("k", kvrpc.MaxKey)}
	for i, key := range keys {
		w.Put([]byte(key), make([]byte, i*(kvrpc.MaxValue/(len(keys)-1))), uint64(i)<<40)
	}
	w.Beat(1<<50, 0)
	for _, key := range keys {
		assert.True(t, get(t, r, key).Present)
		assert.Equal(t, said(Alive, get(t, r, key)), ask(t, p, key))
	}
	w.Delete([]byte("k"))
	assert.Equal(t, "alive 1125899906842624 missed", ask(t, p, "k"))
	s := story{storyKeys}
	for i := range uint64(3000) {
		s.do(w, i)
		key := s.at(i).key
		require.Equal(t, said(Alive, get(t, r, key)), ask(t, p, key))
	}
	require.NoError(t, w.Close())
	assert.Equal(t, "closed 1125899906842624 missed", ask(t, p, "k"))
	assert.Empty(t, p.Rest())
	assert.Equal(t, []string{"No such file or directory"}, cReader(t, w.object.Name()).Rest())
}

func TestCIsToldNoLieWhileAWriterIsKilled(t *testing.T) {
	const keys = 300
	name := "/" + ipctest.Name(t)
	defer posixshm.Unlink(name)
	writer := start(t, "writer", name, keys, 1<<62, "")
	p := cReader(t, name)
	require.Equal(t, "opened", p.Line())
	s, found := story{keys}, 0
	for i := range 3000 {
		if i == 2000 {
			writer.Kill()
		}
		key := keyName(uint64(i % keys))
		words := strings.Fields(ask(t, p, key))
		require.Equal(t, map[bool]string{true: "alive", false: "dead"}[i < 2000], words[0])
		require.Contains(t, []string{"found", "missed"}, words[2])
		if words[2] == "missed" {
			continue
		}
		found++
		var f Found
		_, err := fmt.Sscan(words[1], &f.Index)
		require.NoError(t, err)
		_, err = fmt.Sscan(words[3], &f.Revision)
		require.NoError(t, err)
		f.Present, f.Value = true, s.at(f.Revision).value
		require.Equal(t, fmt.Sprintf("%08x", crc32.Checksum(f.Value, castagnoli)), words[4], "%s: revision %d", key, f.Revision)
		require.NoError(t, s.judge(key, f))
	}
	assert.Positive(t, found)
	assert.Empty(t, p.Rest())
}
