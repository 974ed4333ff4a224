package cache

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/kvrpc"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// pair is a cache with a reader of it, in which index 1 has been applied.
func pair(t *testing.T, size int) (*Writer, *Reader) {
	t.Helper()
	w, err := Create("/"+ipctest.Name(t), size)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.Close()) })
	w.Beat(1, 0)
	return w, open(t, w.object.Name())
}

func open(t *testing.T, name string) *Reader {
	t.Helper()
	r, err := Open(name)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	return r
}

func get(t *testing.T, r *Reader, key string) Found {
	t.Helper()
	found, err := r.Get([]byte(key))
	require.NoError(t, err)
	return found
}

// text is "value revision", or "" for a key that is not there.
func text(t *testing.T, r *Reader, key string) string {
	t.Helper()
	found := get(t, r, key)
	if !found.Present {
		return ""
	}
	return fmt.Sprint(string(found.Value), " ", found.Revision)
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	w, r := pair(t, MinSize)
	assert.Equal(t, "", text(t, r, "k"))
	w.Put([]byte("k"), []byte("v"), 7)
	assert.Equal(t, "v 7", text(t, r, "k"))
	w.Put([]byte("k"), []byte("another"), 8)
	assert.Equal(t, "another 8", text(t, r, "k"))
	w.Put([]byte("other"), nil, 9)
	w.Put(nil, []byte("the empty key"), 10)
	w.Delete([]byte("k"))
	w.Delete([]byte("never there"))
	assert.Equal(t, "", text(t, r, "k"))
	assert.Equal(t, " 9", text(t, r, "other"))
	assert.Equal(t, "the empty key 10", text(t, r, ""))
	w.Put([]byte("k"), []byte("again"), 11)
	w.Reset()
	for _, key := range []string{"k", "other", ""} {
		assert.Equal(t, "", text(t, r, key))
	}
	w.Put([]byte("k"), []byte("anew"), 12)
	assert.Equal(t, "anew 12", text(t, r, "k"))
}

func TestKeysAndValuesUpToTheirBounds(t *testing.T) {
	w, r := pair(t, MinSize)
	key, value := bytes.Repeat([]byte("k"), kvrpc.MaxKey), bytes.Repeat([]byte("v"), kvrpc.MaxValue)
	for revision := range uint64(50) { // the arena goes round
		value[revision] = '!'
		w.Put(key, value, revision)
		found := get(t, r, string(key))
		require.True(t, found.Present)
		require.True(t, bytes.Equal(value, found.Value))
	}
	w.Put(append(key, 'k'), nil, 51)
	assert.Equal(t, "", text(t, r, string(key)+"k"))
	w.Put(key, append(value, 'v'), 52)
	assert.Equal(t, "", text(t, r, string(key)), "the old value is not the key's any more")
}

func TestWhatIsEvictedIsMissedAndNothingElse(t *testing.T) {
	w, r := pair(t, MinSize)
	const keys = 20_000
	name := func(i int) string { return fmt.Sprintf("key %d", i) }
	for i := range keys {
		w.Put([]byte(name(i)), fmt.Appendf(nil, "value %d", i), uint64(i))
	}
	found := 0
	for i := range keys {
		if got := text(t, r, name(i)); got != "" {
			require.Equal(t, fmt.Sprintf("value %d %d", i, i), got)
			found++
		}
	}
	assert.Greater(t, found, 1000)
	assert.Less(t, found, keys)
	assert.NotEmpty(t, text(t, r, name(keys-1)))
	assert.Empty(t, text(t, r, name(0)))
}

func TestAFullBucketEvictsItsOldest(t *testing.T) {
	w, r := pair(t, MinSize)
	var keys []string
	for i := 0; len(keys) < ways+1; i++ {
		if key := fmt.Sprint(i); w.parts.bucket(hashOf([]byte(key))) == 0 {
			keys = append(keys, key)
		}
	}
	for i, key := range keys[:ways] {
		w.Put([]byte(key), nil, uint64(i))
	}
	w.Put([]byte(keys[0]), nil, 20) // not the oldest any more
	w.Delete([]byte(keys[2]))
	w.Put([]byte(keys[2]), nil, 21) // takes the free one
	assert.NotEmpty(t, text(t, r, keys[1]))
	w.Put([]byte(keys[ways]), nil, 22)
	for i, key := range keys {
		assert.Equal(t, i != 1, get(t, r, key).Present, "key %d", i)
	}
}

func TestAnotherKeyWithTheSameHashIsNotTaken(t *testing.T) {
	w, r := pair(t, MinSize)
	hash := hashOf([]byte("one"))
	w.set(w.place(hash), slot{hash, w.write(hash, 5, []byte("two"), []byte("v"))})
	assert.Equal(t, "", text(t, r, "one"))
}

func TestARecordThatIsDestroyedWhileItIsReadIsNotTaken(t *testing.T) {
	for what, want := range map[string]string{"it alone": "", "and the key put again": "new 2"} {
		w, r := pair(t, MinSize)
		w.Put([]byte("k"), bytes.Repeat([]byte("old"), 1000), 1)
		r.hook = func() {
			r.hook = nil
			for range MinSize / kvrpc.MaxValue { // it goes round
				w.Put([]byte("other"), make([]byte, kvrpc.MaxValue), 3)
			}
			if want != "" {
				w.Put([]byte("k"), []byte("new"), 2)
			}
		}
		assert.Equal(t, want, text(t, r, "k"), what)
		assert.Nil(t, r.hook)
	}
}

func TestTheAgeIsThatOfTheLastBeat(t *testing.T) {
	w, err := Create("/"+ipctest.Name(t), MinSize)
	require.NoError(t, err)
	defer w.Close()
	r := open(t, w.object.Name())
	w.Put([]byte("k"), []byte("v"), 3)
	assert.False(t, get(t, r, "k").Present, "nothing is known before the first beat")
	long := time.Duration(now()) / 4 // nobody has known anything before the boot
	w.Beat(3, long)
	found := get(t, r, "k")
	assert.True(t, found.Present)
	assert.EqualValues(t, 3, found.Index)
	assert.Greater(t, found.Age, long)
	w.Beat(2, 2*long)
	again := get(t, r, "k")
	assert.EqualValues(t, 3, again.Index, "the index does not go back")
	assert.Greater(t, again.Age, found.Age)
	assert.Less(t, again.Age, 2*long, "nor does the time")
	w.Beat(5, 0)
	found = get(t, r, "not there")
	assert.EqualValues(t, 5, found.Index)
	assert.Less(t, found.Age, long)
}

func TestAReaderSeesThatTheCacheWasClosed(t *testing.T) {
	w, err := Create("/"+ipctest.Name(t), MinSize)
	require.NoError(t, err)
	r := open(t, w.object.Name())
	life, err := r.Life()
	require.NoError(t, err)
	assert.Equal(t, Alive, life)
	assert.Equal(t, os.Getpid(), r.Server())
	name := w.object.Name()
	require.NoError(t, w.Close())
	life, err = r.Life()
	require.NoError(t, err)
	assert.Equal(t, Closed, life)
	_, err = Open(name)
	assert.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, w.Close(), "a second time")
	w.Put([]byte("k"), nil, 1)
	w.Beat(1, 0)
	assert.Error(t, w.Err())
}

func TestAServerWithoutACache(t *testing.T) {
	var w *Writer
	w.Put([]byte("k"), nil, 1)
	w.Delete([]byte("k"))
	w.Reset()
	w.Beat(1, 0)
	assert.NoError(t, w.Err())
	assert.NoError(t, w.Close())
}

func TestAnObjectThatWasMadeShorterEndsNobody(t *testing.T) {
	w, r := pair(t, MinSize)
	w.Put([]byte("k"), []byte("v"), 1)
	require.NoError(t, w.object.Truncate(4096))
	_, err := r.Get([]byte("k"))
	assert.ErrorIs(t, err, ErrDamaged)
	w.Put([]byte("k"), []byte("w"), 2)
	assert.Error(t, w.Err())
	w.Put([]byte("k"), []byte("x"), 3)
	_, err = Open(w.object.Name())
	assert.ErrorIs(t, err, ErrUnfit)
}
