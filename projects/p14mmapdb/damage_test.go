package p14mmapdb

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// sample is the file of a database with pages of every kind.
func sample(t testing.TB) []byte {
	t.Helper()
	db := newDatabase(t, Options{NoSync: true})
	for round := range 4 {
		require.NoError(t, db.Update(ctx, func(tx *Tx) error {
			for i := range 400 {
				if err := tx.Put(fmt.Appendf(nil, "key %d", i*7%500), bytes.Repeat([]byte{byte(i)}, 50+round)); err != nil {
					return err
				}
			}
			return tx.Put([]byte("large"), bytes.Repeat([]byte("large"), 3000))
		}))
	}
	require.NoError(t, db.Sync(ctx))
	r, err := db.Check()
	require.NoError(t, err)
	require.Positive(t, min(r.Leaves, r.Branches, r.Values, r.Log, r.Free))
	b, err := os.ReadFile(db.path)
	require.NoError(t, err)
	return b[:(r.Pages+r.Free)*pageSize] // without what it may grow to
}

// openBytes opens a database of these bytes.
func openBytes(t testing.TB, path string, b []byte) (*DB, error) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, b, 0o600))
	db, err := Open(path, Options{NoSync: true})
	if err == nil {
		t.Cleanup(func() { require.NoError(t, db.Close()) })
	}
	return db, err
}

// checkBytes is what check says of a file.
func checkBytes(t testing.TB, path string, b []byte) error {
	t.Helper()
	require.NoError(t, os.WriteFile(path, b, 0o600))
	db, err := Open(path, Options{ReadOnly: true})
	if err != nil {
		return err
	}
	_, err = db.Check()
	require.NoError(t, db.Close())
	return err
}

func TestCheckFindsEveryFlippedBitInAUsedPage(t *testing.T) {
	t.Parallel()
	good := sample(t)
	path := filepath.Join(t.TempDir(), "db")
	require.NoError(t, checkBytes(t, path, good))
	db, err := openBytes(t, path, good)
	require.NoError(t, err)
	unused := map[int]bool{}
	require.NoError(t, db.View(func(tx *Tx) error {
		f, err := tx.load()
		for _, w := range f.waiting {
			for n := w.page; n < w.page+w.run; n++ {
				unused[int(n)] = true
			}
		}
		return err
	}))
	require.NoError(t, db.Close())
	rng := rand.New(rand.NewPCG(5, 14))
	for n := range len(good) / pageSize {
		for i := range 6 {
			bit := rng.IntN(8 * pageSize)
			if i < 3 {
				bit = rng.IntN(8 * 64) // where headers are
			}
			bad := bytes.Clone(good)
			bad[n*pageSize+bit/8] ^= 1 << (bit % 8)
			err := checkBytes(t, path, bad)
			if unused[n] {
				require.NoError(t, err, "page %d, bit %d", n, bit)
			} else if n > 0 || bit >= 64 {
				require.ErrorIs(t, err, ErrDamaged, "page %d, bit %d", n, bit)
			} else {
				require.ErrorIs(t, err, ErrForeign, "bit %d", bit)
			}
			now, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.Equal(bad, now), "it is left as it is")
		}
	}
}

// A damaged page does not get a right checksum by a change of it.
func TestAChangeOfADamagedPageIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := sample(t)
	db, err := openBytes(t, filepath.Join(dir, "good"), good)
	require.NoError(t, err)
	put := func(db *DB, key string) error {
		return db.Update(ctx, func(tx *Tx) error { return tx.Put([]byte(key), nil) })
	}
	var at int64
	for range 2 { // and then the page is not of a transaction that opening looks at
		require.NoError(t, put(db, "zzz"))
	}
	require.NoError(t, db.View(func(tx *Tx) (err error) { at, err = tx.Offset([]byte("key 123")); return err }))
	good, err = os.ReadFile(db.path)
	require.NoError(t, err)
	good[at+20] ^= 1
	bad, err := openBytes(t, filepath.Join(dir, "bad"), good)
	require.NoError(t, err)
	require.ErrorIs(t, put(bad, "key 123"), ErrDamaged)
	require.NoError(t, put(bad, "zzz"), "elsewhere")
}

// What this writer knew to be right does not count any more when another one has written.
func TestAWriterVerifiesAgainWhatItKnewWhenAnotherOneHasWritten(t *testing.T) {
	t.Parallel()
	one, err := openBytes(t, filepath.Join(t.TempDir(), "db"), sample(t))
	require.NoError(t, err)
	other := open(t, one.path, Options{NoSync: true})
	put := func(db *DB, key string) error {
		return db.Update(ctx, func(tx *Tx) error { return tx.Put([]byte(key), nil) })
	}
	require.NoError(t, put(one, "key 123"))
	var at int64
	require.NoError(t, one.View(func(tx *Tx) (err error) { at, err = tx.Offset([]byte("key 123")); return err }))
	require.True(t, one.known.has(uint32(at/pageSize)))
	require.NoError(t, put(other, "zzz"))
	var b [1]byte
	_, err = one.f.ReadAt(b[:], at+20)
	require.NoError(t, err)
	b[0] ^= 1
	_, err = one.f.WriteAt(b[:], at+20)
	require.NoError(t, err)
	require.ErrorIs(t, put(one, "key 123"), ErrDamaged)
}

func TestAFileThatWasCutOffIsAnError(t *testing.T) {
	t.Parallel()
	good := sample(t)
	path := filepath.Join(t.TempDir(), "db")
	for _, size := range []int{0, 7, 8, 100, 4095, 4096, 8192, 12287, 12288, 12289, 40_000, 80_000} {
		err := checkBytes(t, path, good[:size])
		if size < 8 {
			require.ErrorIs(t, err, ErrForeign, "%d bytes", size)
		} else {
			require.ErrorIs(t, err, ErrDamaged, "%d bytes", size)
		}
		require.ErrorContains(t, err, path)
	}
}

func TestAFileThatIsCutOffWhileItIsOpenIsAnError(t *testing.T) {
	t.Parallel()
	db, err := openBytes(t, filepath.Join(t.TempDir(), "db"), sample(t))
	require.NoError(t, err)
	require.NoError(t, db.View(func(*Tx) error { return nil }))
	require.NoError(t, os.Truncate(db.path, 3*pageSize))
	get := func(tx *Tx) error { _, err := tx.Get([]byte("key 7")); return err }
	for range 2 {
		err = db.View(get)
		require.ErrorIs(t, err, ErrDamaged)
		require.ErrorIs(t, err, unix.EFAULT)
		require.ErrorIs(t, db.Update(ctx, func(tx *Tx) error { return tx.Put([]byte("key 7"), nil) }), ErrDamaged)
		_, err = db.Check()
		require.ErrorIs(t, err, ErrDamaged)
	}
}

func TestForeignFilesAreRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	future := encodeHeader()
	put32(future[8:], version+1)
	put32(future[pageSize-4:], checksum(future[:pageSize-4]))
	for name, b := range map[string][]byte{"empty": nil, "text": bytes.Repeat([]byte("text\n"), 5000), "future": future} {
		path := filepath.Join(dir, name)
		_, err := openBytes(t, path, b)
		require.ErrorIs(t, err, ErrForeign, name)
		require.ErrorContains(t, err, path)
		assert.NoFileExists(t, lockPath(path))
		assert.ErrorIs(t, Create(path, 0), os.ErrExist)
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(b, now))
	}
	_, err := Open(dir, Options{})
	assert.Error(t, err)
	_, err = Open(filepath.Join(dir, "missing"), Options{})
	assert.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	_, err = Open(filepath.Join(dir, "fifo"), Options{})
	assert.ErrorIs(t, err, ErrForeign)
	path := filepath.Join(dir, "database")
	require.NoError(t, Create(path, 0))
	require.NoError(t, os.WriteFile(lockPath(path), []byte("not a lock file"), 0o600))
	_, err = Open(path, Options{})
	assert.ErrorIs(t, err, ErrForeign)
}

// exercised uses all of a database whose bytes may be anything. What it does ends, and
// in errors only.
func exercised(db *DB) {
	_, _ = db.Check()
	_ = db.View(func(tx *Tx) error {
		c := tx.Cursor()
		n := 0
		for more := c.First(); more && n < 5000; more = c.Next() {
			_, _, _ = c.Record()
			n++
		}
		for more := c.SeekBefore([]byte("key 3")); more && n < 9000; more = c.Prev() {
			_, _, _ = c.Record()
			n++
		}
		for i := range 100 {
			_, _ = tx.Get(fmt.Appendf(nil, "key %d", i*5))
		}
		_, _ = tx.Get([]byte("large"))
		_, _ = tx.Get(nil)
		return nil
	})
	for round := range 3 {
		_ = db.Update(ctx, func(tx *Tx) error {
			for i := range 60 {
				key := fmt.Appendf(nil, "key %d", (i*9+round)%520)
				if i%3 == 0 {
					_ = tx.Delete(key)
				} else if err := tx.Put(key, bytes.Repeat([]byte("new"), i*i%900)); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// Whatever is in a file, and even where the checksums fit, there is no panic and no endless loop.
func FuzzFile(f *testing.F) {
	good := sample(f)
	f.Add(0, []byte("x"), len(good), false)
	for n := 0; n < len(good)/pageSize; n += 1 + n/8 {
		at := n * pageSize
		f.Add(at+16, []byte{byte(n % 5)}, len(good), true)
		f.Add(at+18, []byte{0xff, 0x01}, len(good), true)
		f.Add(at+20, []byte{1, 0, 0, 1}, len(good), true)
		f.Add(at+24+n%7*4, []byte{9, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0x80}, len(good), true)
		f.Add(at+24+n*37%3900, []byte{byte(n), 0x10, 0x80}, len(good), true)
		f.Add(at+n*331%4096, []byte{byte(n)}, len(good)-n*pageSize/2, false)
	}
	f.Fuzz(func(t *testing.T, at int, change []byte, length int, seals bool) {
		bad := bytes.Clone(good)
		if at < 0 || at > len(bad) || length < 0 || length > len(bad) || len(change) > pageSize {
			return
		}
		copy(bad[at:], change)
		if page := bad[at/pageSize*pageSize:]; seals && at/pageSize > 0 && len(page) > 0 {
			put32(page, checksum(page[4:pageSize]))
			// The list of the newest transaction is made to fit, too.
			for m := 1; m < firstPage; m++ {
				b := bad[m*pageSize : (m+1)*pageSize]
				for i := range min(le32(b[56:]), maxListed) {
					if e := b[metaListAt+12*i:]; int(le32(e)) == at/pageSize {
						put32(e[8:], le32(page))
					}
				}
				put32(b, checksum(b[4:]))
			}
		}
		path := filepath.Join(t.TempDir(), "db")
		require.NoError(t, os.WriteFile(path, bad[:length], 0o600))
		db, err := Open(path, Options{NoSync: true})
		if err != nil {
			return
		}
		exercised(db)
		require.NoError(t, db.Close())
	})
}

func TestWhatScanPrintsCanBeReadAgain(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		b := make([]byte, rng.IntN(40))
		for i := range b {
			b[i] = byte(rng.Uint32()) & 0x7f
		}
		text := AppendText(nil, b)
		assert.NotContains(t, string(text), "\n")
		assert.NotContains(t, string(text), "\t")
		got, err := ParseText(text)
		require.NoError(t, err)
		require.Equal(t, string(b), string(got))
	}
	for _, text := range []string{`\`, `\n`, `\x`, `\x1`, `\x1g`, `a\\\`, `\x+1`} {
		_, err := ParseText([]byte(text))
		assert.Error(t, err, text)
	}
	lines := NewLines("lines", bytes.NewReader([]byte("a\tb\n\tno key\n")))
	_, _, err := lines.Next()
	require.NoError(t, err)
	_, _, err = lines.Next()
	assert.ErrorContains(t, err, "lines:2: ")
	lines = NewLines("lines", bytes.NewReader(append([]byte("k\t"), bytes.Repeat([]byte("v"), 200_000)...)))
	_, v, err := lines.Next()
	require.NoError(t, err)
	assert.Len(t, v, 200_000)
	_, _, err = lines.Next()
	assert.Equal(t, io.EOF, err)
}
