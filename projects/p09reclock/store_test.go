package p09reclock

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/reclock"
)

func newStore(t testing.TB, options Options) *Store {
	t.Helper()
	options.Create = true
	return openStore(t, filepath.Join(t.TempDir(), "store"), options)
}

func openStore(t testing.TB, path string, options Options) *Store {
	t.Helper()
	st, err := Open(path, options)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	return st
}

// has asserts all that a store has.
func has(t testing.TB, st *Store, want map[string]string) {
	t.Helper()
	_, err := st.Check()
	require.NoError(t, err)
	keys := map[string]int{}
	require.NoError(t, st.Keys(func(key []byte, length int) { keys[string(key)] = length }))
	require.Len(t, keys, len(want))
	for key, value := range want {
		got, err := st.Get([]byte(key))
		require.NoError(t, err, "%.50q", key)
		require.True(t, value == string(got), "%.50q", key)
		require.Equal(t, len(value), keys[key])
	}
}

func TestTheStoreIsLikeAMap(t *testing.T) {
	t.Parallel()
	first := newStore(t, Options{NoSync: true})
	second := openStore(t, first.path, Options{NoSync: true})
	model := map[string]string{}
	for i := range 60_000 {
		st := [2]*Store{first, second}[rand.N(2)]
		key := fmt.Sprint("key ", rand.N(12_000))
		switch rand.N(10) {
		case 0:
			err := st.Delete([]byte(key))
			if _, there := model[key]; there {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, ErrNoKey)
			}
			delete(model, key)
		case 1, 2:
			got, err := st.Get([]byte(key))
			want, there := model[key]
			require.Equal(t, there, err == nil)
			require.Equal(t, want, string(got))
		default:
			value := string(bytes.Repeat([]byte{byte(i)}, rand.N(400)))
			require.NoError(t, st.Set([]byte(key), []byte(value)))
			model[key] = value
		}
	}
	live, liveBytes := first.session.live.Load(), first.session.liveBytes.Load()
	report, err := second.Check()
	require.NoError(t, err)
	assert.Equal(t, int64(report.Keys), live, "by which is decided when to write it anew")
	assert.Equal(t, int64(report.Used), liveBytes)
	has(t, first, model)
	has(t, second, model)
	assert.Greater(t, first.session.generation.Load(), uint64(4), "it was written anew meanwhile")
	assert.Greater(t, first.file.bits, uint32(bucketBits), "and has grown")
}

func TestSizesUpToTheGreatest(t *testing.T) {
	t.Parallel()
	st := newStore(t, Options{NoSync: true})
	model := map[string]string{}
	for _, n := range []int{0, 1, 31, 32, 33, 4096, 65536, MaxLength - 1, MaxLength} {
		key, value := make([]byte, n), make([]byte, MaxLength-n)
		key = append(key[:max(0, n-8)], fmt.Appendf(nil, "%08d", n)[:min(8, n)]...)
		require.NoError(t, st.Set(key, value))
		model[string(key)] = string(value)
	}
	has(t, st, model)
	assert.ErrorIs(t, st.Set(make([]byte, MaxLength+1), nil), ErrTooLong)
	assert.ErrorIs(t, st.Set(nil, make([]byte, MaxLength+1)), ErrTooLong)
	_, err := st.Get(make([]byte, MaxLength+1))
	assert.ErrorIs(t, err, ErrTooLong)
	has(t, st, model)
}

func TestGoroutinesShareAStore(t *testing.T) {
	t.Parallel()
	st := newStore(t, Options{NoSync: true})
	var running sync.WaitGroup
	for g := range 8 {
		running.Go(func() {
			for i := range 500 {
				own := fmt.Appendf(nil, "own %d %d", g, i%50)
				shared := fmt.Appendf(nil, "shared %d", i%10)
				value := bytes.Repeat([]byte{byte('a' + g)}, 100+i)
				if !assert.NoError(t, st.Set(own, value)) || !assert.NoError(t, st.Set(shared, value)) {
					return
				}
				got, err := st.Get(own)
				assert.NoError(t, err)
				assert.Equal(t, value, got)
				got, err = st.Get(shared)
				assert.NoError(t, err)
				if assert.NotEmpty(t, got) {
					assert.Equal(t, bytes.Repeat(got[:1], len(got)), got, "of one writer")
				}
			}
		})
	}
	running.Wait()
	r, err := st.Check()
	require.NoError(t, err)
	assert.Equal(t, 8*50+10, r.Keys)
}

// What a process leaves that is killed between two steps of a set.
func TestTheNextOneFinishesWhatAKilledProcessBegan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		remove bool
		linked bool
		torn   bool
		want   string
	}{
		"nothing but the record":      {want: "new"},
		"the record and its link":     {linked: true, want: "new"},
		"half of the record":          {torn: true, want: "old"},
		"a deletion that is not done": {remove: true, want: ""},
		"half of a deletion":          {remove: true, torn: true, want: "old"},
	} {
		t.Run(name, func(t *testing.T) {
			st := newStore(t, Options{})
			key := []byte("key")
			require.NoError(t, st.Set(key, []byte("old")))
			d := st.file
			hash := d.hash(key)
			r := &record{tombstone: c.remove, hash: hash}
			value := append([]byte("new"), make([]byte, 2000)...)
			value = append(value, "end"...)
			if c.remove {
				value = nil
			}
			size := recordSize(3, uint64(len(value)))
			old, _, _, err := d.find(hash, key)
			require.NoError(t, err)
			r.pos, err = st.reserve(d, size)
			require.NoError(t, err)
			head, err := d.follow(old.pos + linkAt)
			require.NoError(t, err)
			r.next = d.link(r.pos+linkAt, head)
			b := make([]byte, size)
			d.encodeRecord(b, r, key, value)
			if c.torn {
				// What comes to be is a number of whole sectors.
				middle := (r.pos + size/2) &^ (sector - 1)
				clear(b[max(middle, r.pos)-r.pos:])
			}
			state := st.session.bucket(bucketOf(hash))
			state.pending.Store(r.pos)
			state.seq.Add(1)
			require.NoError(t, d.write(b, r.pos))
			if c.linked {
				require.NoError(t, d.setLink(d.slotAt(hash), r.pos))
			}

			other := openStore(t, st.path, Options{})
			got, err := other.Get(key)
			if c.want == "" {
				require.ErrorIs(t, err, ErrNoKey)
				has(t, other, nil)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got[:3]))
			has(t, other, map[string]string{"key": string(got)})
			assert.Zero(t, state.seq.Load()%2)
			require.NoError(t, st.Delete(key))
			has(t, st, nil)
		})
	}
}

func TestARewritingThatWasBegunIsDoneAgain(t *testing.T) {
	t.Parallel()
	st := newStore(t, Options{})
	want := map[string]string{}
	for i := range 100 {
		key := fmt.Sprint("key ", i)
		require.NoError(t, st.Set([]byte(key), []byte(key)))
		want[key] = key
	}
	require.NoError(t, os.WriteFile(st.path+".new", []byte("half"), 0o600))
	st.session.generation.Add(1) // as it is when the process is killed after that
	value, err := st.Get([]byte("key 7"))
	require.NoError(t, err, "the file is still as it was")
	assert.Equal(t, "key 7", string(value))
	require.NoError(t, st.Set([]byte("key 8"), []byte("another")))
	want["key 8"] = "another"
	has(t, st, want)
	has(t, openStore(t, st.path, Options{}), want)
	assert.NoFileExists(t, st.path+".new")

	// Killed after the rename: the file has a name that the session does not know.
	st.session.generation.Add(1)
	st.session.salt.Add(1)
	other := openStore(t, st.path, Options{})
	has(t, other, want)
	has(t, st, want)
}

func TestAFlushThatFailedIsTheEndOfWritingUntilAllHaveLeft(t *testing.T) {
	t.Parallel()
	st, err := Open(filepath.Join(t.TempDir(), "store"), Options{Create: true})
	require.NoError(t, err)
	require.NoError(t, st.Set([]byte("key"), []byte("value")))
	st.session.failed.Store(uint64(unix.EIO))
	assert.ErrorIs(t, st.Set([]byte("key"), []byte("other")), unix.EIO)
	got, err := st.Get([]byte("key"))
	require.NoError(t, err)
	assert.Equal(t, "value", string(got))
	require.NoError(t, st.Close())
	again := openStore(t, st.path, Options{})
	require.NoError(t, again.Set([]byte("key"), []byte("other")))
	has(t, again, map[string]string{"key": "other"})
}

func TestAStoreThatBecomesShorterIsAnErrorNotACrash(t *testing.T) {
	t.Parallel()
	st := newStore(t, Options{})
	require.NoError(t, st.Set([]byte("key"), bytes.Repeat([]byte("v"), 100_000)))
	require.NoError(t, os.Truncate(st.path, headerSize))
	_, err := st.Get([]byte("key"))
	assert.ErrorIs(t, err, ErrDamaged)
	_, err = st.Get([]byte("key"))
	assert.ErrorIs(t, err, ErrDamaged)
	assert.ErrorIs(t, st.Set([]byte("key"), nil), ErrDamaged)
}

func TestAStoreThatIsReplacedWhileInUseIsNotMixedUp(t *testing.T) {
	t.Parallel()
	st, other := newStore(t, Options{}), newStore(t, Options{})
	require.NoError(t, st.Set([]byte("key"), []byte("value")))
	require.NoError(t, other.Set([]byte("foreign"), []byte("value")))
	require.NoError(t, os.Rename(other.path, st.path))
	_, err := Open(st.path, Options{})
	assert.ErrorContains(t, err, "replaced")
	has(t, st, map[string]string{"key": "value"})
}

func TestAReaderNeedsNoLock(t *testing.T) {
	t.Parallel()
	st := newStore(t, Options{})
	require.NoError(t, st.Set([]byte("key"), []byte("value")))
	l, err := st.lockBuckets(reclock.Write)
	require.NoError(t, err)
	got, err := st.Get([]byte("key"))
	require.NoError(t, err)
	assert.Equal(t, "value", string(got))
	require.NoError(t, l.Unlock())
}

func TestTheLocksAreOneByteABucket(t *testing.T) {
	t.Parallel()
	// Where stat(2) and /proc/locks have the same device, whatever /tmp is.
	dir, err := os.MkdirTemp("/dev/shm", ipctest.Name(t))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	st := openStore(t, filepath.Join(dir, "store"), Options{Create: true})
	l, err := st.lockAll(reclock.Write, bucketByte+int64(st.Bucket([]byte("key"))))
	require.NoError(t, err)
	defer l.Unlock()
	held, err := reclock.List(st.locks.Fd())
	require.NoError(t, err)
	assert.ElementsMatch(t, []reclock.Held{
		{Lock: reclock.Lock{Kind: reclock.Read, Range: reclock.Bytes(presenceByte, 1), PID: os.Getpid()}},
		{Lock: reclock.Lock{Kind: reclock.Write, Range: reclock.Bytes(bucketByte+int64(st.Bucket([]byte("key"))), 1), PID: os.Getpid()}},
	}, held)
}

func TestNoSpaceIsAnErrorAndTheStoreStaysAsItWas(t *testing.T) {
	t.Run("on a full disk", func(t *testing.T) {
		dir := t.TempDir()
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
			assert.ErrorIs(t, err, unix.EPERM, "a container may not mount")
			return
		}
		defer unix.Unmount(dir, 0)
		testNoSpace(t, dir, unix.ENOSPC)
	})
	// The process's own limit, so this test is not parallel to others.
	t.Run("under a limit of the file's size", func(t *testing.T) {
		var before unix.Rlimit
		require.NoError(t, unix.Getrlimit(unix.RLIMIT_FSIZE, &before))
		signal.Ignore(unix.SIGXFSZ) // as the program does
		defer signal.Reset(unix.SIGXFSZ)
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1 << 20, Max: before.Max}))
		defer func() { assert.NoError(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &before)) }()
		testNoSpace(t, t.TempDir(), unix.EFBIG)
	})
}

// testNoSpace sets values in a folder where there is room for a megabyte.
func testNoSpace(t *testing.T, dir string, full error) {
	t.Helper()
	st, err := Open(filepath.Join(dir, "store"), Options{Create: true})
	require.NoError(t, err)
	want := map[string]string{}
	for i := 0; ; i++ {
		key, value := fmt.Sprint("key ", i), string(bytes.Repeat([]byte{byte(i)}, 10_000))
		if err = st.Set([]byte(key), []byte(value)); err != nil {
			break
		}
		want[key] = value
	}
	assert.ErrorIs(t, err, full)
	require.Greater(t, len(want), 10)
	has(t, st, want)
	// A smaller one may still find room, and a rewriting that finds none harms nobody.
	_ = st.rewrite()
	has(t, st, want)
	require.NoError(t, st.Close())
	again, err := Open(filepath.Join(dir, "store"), Options{})
	require.NoError(t, err)
	defer again.Close()
	has(t, again, want)
}

func TestUnlockedGoroutinesDoNotDeadlockWithProcesses(t *testing.T) {
	t.Parallel()
	st := newStore(t, Options{NoSync: true})
	cmd := ipctest.Command(t, "setter", st.path)
	require.NoError(t, cmd.Start())
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for range 300 {
				assert.NoError(t, st.Set(fmt.Append(nil, rand.N(3)), []byte("x")))
			}
		})
	}
	running.Wait()
	require.NoError(t, cmd.Wait())
	_, err := st.Check()
	require.NoError(t, err)
}

var _ = ipctest.Role("setter", func(args []string) int {
	st, err := Open(args[0], Options{NoSync: true})
	if err != nil {
		return 10
	}
	var running sync.WaitGroup
	failed := make(chan error, 8)
	for range 8 {
		running.Go(func() {
			for range 300 {
				if err := st.Set(fmt.Append(nil, rand.N(3)), []byte("y")); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	running.Wait()
	if len(failed) > 0 {
		fmt.Fprintln(os.Stderr, <-failed)
		return 11
	}
	return 0
})
