package p09reclock

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// crash makes what a disk may have after a power failure: all of the file as it was at the
// last flush, and of what was written since any part, in any order, by sectors. The file's
// length is flushed before it is used.
func crash(before, after []byte, rng *rand.Rand) []byte {
	image := append(bytes.Clone(before), make([]byte, len(after)-len(before))...)
	part := rng.IntN(101)
	for at := 0; at < len(image); at += sector {
		end := min(at+sector, len(image))
		if !bytes.Equal(image[at:end], after[at:end]) && rng.IntN(100) < part {
			copy(image[at:end], after[at:end])
		}
	}
	return image
}

// reboot opens an image without the lock file, which is not trusted after a crash.
func reboot(t *testing.T, image []byte) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image")
	require.NoError(t, os.WriteFile(path, image, 0o600))
	st, err := Open(path, Options{NoSync: true})
	require.NoError(t, err)
	return st
}

// After a power failure all that had returned is there, and of what had not, each key
// has its old value or its new one.
func TestAPowerFailureLosesNothingThatReturned(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	st := newStore(t, Options{NoSync: true}) // the flushes are the test's own
	safe := map[string]string{}
	set := func(key, value string) {
		if value == "" {
			require.NoError(t, st.Delete([]byte(key)))
		} else {
			require.NoError(t, st.Set([]byte(key), []byte(value)))
		}
	}
	value := func() string {
		size := []int{1, 30, 200, 900, 5000, 70_000}[rng.IntN(6)]
		b := make([]byte, size)
		if rng.IntN(3) > 0 { // else zeros, which look like sectors that were not written
			for i := range b {
				b[i] = byte('a' + rng.IntN(26))
			}
		}
		return string(b)
	}
	for round := range 60 {
		generation := st.session.generation.Load()
		before, err := os.ReadFile(st.path)
		require.NoError(t, err)
		// Several processes are in the middle of a set or of a deletion.
		open := map[string]string{}
		for range 1 + rng.IntN(4) {
			key := fmt.Sprint("key ", rng.IntN(40))
			if _, twice := open[key]; twice {
				continue
			}
			open[key] = value()
			if _, there := safe[key]; there && rng.IntN(4) == 0 {
				open[key] = ""
			}
			set(key, open[key])
		}
		after, err := os.ReadFile(st.path)
		require.NoError(t, err)
		if st.session.generation.Load() == generation {
			for range 4 {
				again := reboot(t, crash(before, after, rng))
				verifyCrash(t, again, safe, open, round)
				require.NoError(t, again.Close())
			}
		}
		for key, value := range open {
			if value == "" {
				delete(safe, key)
			} else {
				safe[key] = value
			}
		}
	}
	has(t, st, safe)
}

func verifyCrash(t *testing.T, st *Store, safe, open map[string]string, round int) {
	t.Helper()
	_, err := st.Check()
	require.NoError(t, err)
	for key := range open {
		got, err := st.Get([]byte(key))
		if err != nil {
			require.ErrorIs(t, err, ErrNoKey)
		}
		require.True(t, string(got) == safe[key] || string(got) == open[key], "%s in round %d", key, round)
	}
	for key, value := range safe {
		if _, unsettled := open[key]; unsettled {
			continue
		}
		got, err := st.Get([]byte(key))
		require.NoError(t, err, "%s in round %d", key, round)
		require.True(t, value == string(got), "%s in round %d", key, round)
	}
}

// The test above would see it if a set returned before its record was on the disk.
func TestTheCrashTestSeesALostRecord(t *testing.T) {
	t.Parallel()
	st := newStore(t, Options{NoSync: true})
	require.NoError(t, st.Set([]byte("key"), []byte("old")))
	before, err := os.ReadFile(st.path)
	require.NoError(t, err)
	require.NoError(t, st.Set([]byte("key"), []byte("new")))
	again := reboot(t, before)
	defer again.Close()
	got, err := again.Get([]byte("key"))
	require.NoError(t, err)
	assert.Equal(t, "old", string(got))
}

// Damage is never taken for a crash: each byte of a record and of the header counts.
func TestEveryChangedByteIsFound(t *testing.T) {
	t.Parallel()
	st := newStore(t, Options{NoSync: true})
	for i := range 20 {
		require.NoError(t, st.Set(fmt.Append(nil, "key ", i), bytes.Repeat([]byte("v"), 50)))
	}
	good, err := os.ReadFile(st.path)
	require.NoError(t, err)
	start, end := st.file.start(), st.session.tail.Load()
	dir := t.TempDir()
	for at := uint64(0); at < end; at++ {
		if at == headerUsed {
			at = start // the table, which is made anew, and unused bytes
		}
		_, ok := st.file.decode(good[at&^31:], at&^31)
		if ok && at%32 >= linkAt {
			continue // a link, made anew too
		}
		if ok = ok || at < start; !ok && inPadding(st, good, at) {
			continue
		}
		path := filepath.Join(dir, fmt.Sprint(at))
		bad := bytes.Clone(good)
		bad[at] ^= 1 << (at % 8)
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		_, err := Open(path, Options{})
		if at < 8 {
			require.ErrorIs(t, err, ErrForeign)
		} else {
			require.ErrorIs(t, err, ErrDamaged, "byte %d", at)
		}
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(bad, now), "it is left as it is")
		require.NoError(t, os.Remove(path))
		_ = os.Remove(path + ".lock")
	}
}

// inPadding says that a byte is behind a record's value.
func inPadding(st *Store, all []byte, at uint64) bool {
	for pos := st.file.start(); pos < uint64(len(all)); {
		r, ok := st.file.decode(all[pos:], pos)
		if !ok {
			return false
		}
		if at < pos+r.size() {
			return at >= pos+recordHeader+r.klen+r.vlen
		}
		pos += r.size()
	}
	return false
}

// A damaged link is found while the session is trusted.
func TestADamagedTableIsFound(t *testing.T) {
	t.Parallel()
	st := newStore(t, Options{NoSync: true})
	require.NoError(t, st.Set([]byte("key"), []byte("value")))
	slot := st.file.slotAt(st.file.hash([]byte("key")))
	for _, word := range [][]byte{make([]byte, 8), []byte("nonsense"), bytes.Repeat([]byte{0xff}, 8)} {
		require.NoError(t, st.file.write(word, slot))
		_, err := st.Get([]byte("key"))
		assert.ErrorIs(t, err, ErrDamaged)
		assert.ErrorIs(t, st.Set([]byte("key"), nil), ErrDamaged)
		_, err = st.Check()
		assert.ErrorIs(t, err, ErrDamaged)
	}
}

// Whatever is in a file, opening it ends in an error or in a store that is whole; an error
// leaves the file as it is.
func FuzzOpen(f *testing.F) {
	st := newStore(f, Options{NoSync: true})
	for i := range 5 {
		if err := st.Set(fmt.Append(nil, "key ", i), bytes.Repeat([]byte("v"), 40)); err != nil {
			f.Fatal(err)
		}
	}
	good, err := os.ReadFile(st.path)
	if err != nil {
		f.Fatal(err)
	}
	start := int(st.file.start())
	f.Add(0, []byte("x"), len(good))
	f.Add(24, []byte{200, 0, 0, 0}, len(good))
	f.Add(start, []byte{1, 2, 3}, len(good))
	f.Add(start+8, bytes.Repeat([]byte{0xff}, 8), len(good))
	f.Add(start+100, make([]byte, 600), len(good))
	f.Add(headerSize, make([]byte, 4096), start+64)
	f.Fuzz(func(t *testing.T, at int, change []byte, length int) {
		bad := bytes.Clone(good)
		if at < 0 || at > len(bad) || length < 0 || length > len(bad) {
			return
		}
		copy(bad[at:], change)
		bad = bad[:length]
		path := filepath.Join(t.TempDir(), "store")
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		opened, err := Open(path, Options{NoSync: true})
		if err != nil {
			now, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.Equal(bad, now))
			return
		}
		defer opened.Close()
		_, err = opened.Check()
		require.NoError(t, err)
	})
}
