package cache

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/alive"
)

// A story is a log of writes that everybody knows: what the write with an index does
// follows from the index.
type story struct{ keys uint64 }

type write struct {
	key   string
	value []byte // nil: delete
}

func (s story) key(index uint64) string {
	return keyName(hashOf(binary.NativeEndian.AppendUint64(nil, index)) % s.keys)
}

func keyName(i uint64) string { return fmt.Sprintf("key %d", i) }

func (s story) at(index uint64) write {
	w := write{key: s.key(index)}
	chance := hashOf(binary.NativeEndian.AppendUint64([]byte("value"), index))
	if chance%5 > 0 {
		w.value = bytes.Repeat(binary.NativeEndian.AppendUint64(nil, index), 1+int(chance>>8%400))
		w.value = w.value[:len(w.value)-int(chance>>32%8)]
	}
	return w
}

func (s story) do(w *Writer, index uint64) {
	if what := s.at(index); what.value != nil {
		w.Put([]byte(what.key), what.value, index)
	} else {
		w.Delete([]byte(what.key))
	}
}

// judge says what is wrong with what a reader was told.
func (s story) judge(key string, f Found) error {
	if !f.Present {
		return nil
	}
	if wrote := s.at(f.Revision); wrote.key != key || wrote.value == nil || !bytes.Equal(wrote.value, f.Value) {
		return fmt.Errorf("%s: revision %d has never put that there", key, f.Revision)
	}
	for i := f.Revision + 1; i <= f.Index; i++ {
		if s.key(i) == key {
			return fmt.Errorf("%s: revision %d, but write %d was after it, and index %d is told", key, f.Revision, i, f.Index)
		}
	}
	return nil
}

// "writer NAME KEYS WRITE POINT" does the writes of a story and dies at a point of one, or
// goes on until it is killed.
var _ = ipctest.Role("writer", func(args []string) int {
	keys, _ := strconv.ParseUint(args[1], 10, 64)
	last, _ := strconv.ParseUint(args[2], 10, 64)
	w, err := Create(args[0], MinSize)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	s := story{keys}
	for i := uint64(1); ; i++ {
		if i == last {
			w.hook = func(point string) {
				if point == args[3] {
					_ = unix.Kill(unix.Getpid(), unix.SIGKILL)
				}
			}
		}
		s.do(w, i)
		if args[3] == "resetting" && i == last {
			w.Reset()
		}
		if i%3 == 0 {
			w.Beat(i, 0)
		}
		if i == 1000 {
			fmt.Println("begun")
		}
	}
})

// "reader NAME KEYS" reads all keys again and again as long as the server lives, and once
// more, and says when it has begun and what it has seen.
var _ = ipctest.Role("reader", func(args []string) int {
	keys, _ := strconv.ParseUint(args[1], 10, 64)
	r, err := Open(args[0])
	if err != nil {
		fmt.Println(err)
		return 1
	}
	s, index, seen := story{keys}, uint64(0), 0
	for round, life := 0, Alive; life == Alive; round++ {
		if life, err = r.Life(); err != nil {
			fmt.Println(err)
			return 1
		}
		for i := range keys {
			key := keyName(uint64(i))
			f, err := r.Get([]byte(key))
			if err == nil {
				err = s.judge(key, f)
			}
			if err == nil && f.Index < index {
				err = fmt.Errorf("index %d after %d", f.Index, index)
			}
			if err != nil {
				fmt.Println(err)
				return 1
			}
			index = f.Index
			if f.Present {
				seen++
			}
		}
		if round == 0 {
			fmt.Println("begun")
		}
	}
	fmt.Println(seen > 0)
	return 0
})

func start(t *testing.T, role string, args ...any) *ipctest.Peer {
	t.Helper()
	var words []string
	for _, a := range args {
		words = append(words, fmt.Sprint(a))
	}
	p := ipctest.Start(t, ipctest.Command(t, role, words...))
	require.Equal(t, "begun", p.Line())
	return p
}

func TestNoReaderIsToldALieWhileWritersAreKilled(t *testing.T) {
	const keys = 300 // with their values more than fits
	name := "/" + ipctest.Name(t)
	defer posixshm.Unlink(name)
	seed := rand.Uint64()
	t.Log("seed", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	for round := range 4 {
		at, point := uint64(1<<62), ""
		if round%2 == 0 {
			at, point = 2000+chance.Uint64N(5000), []string{"reserved", "half", "written", "published"}[chance.IntN(4)]
		}
		w := start(t, "writer", name, keys, at, point)
		var readers []*ipctest.Peer
		for range 2 {
			readers = append(readers, ipctest.Start(t, ipctest.Command(t, "reader", name, strconv.Itoa(keys))))
		}
		if point == "" {
			require.Equal(t, "begun", readers[chance.IntN(2)].Line())
			w.Kill()
		}
		_ = w.Wait()
		for _, r := range readers {
			lines := r.Rest()
			assert.Contains(t, []string{"[begun true]", "[true]"}, fmt.Sprint(lines), "round %d, killed at write %d, %q", round, at, point)
		}
	}
}

func TestAWriterThatIsKilledAnywhereLeavesTheOldValueOrTheNew(t *testing.T) {
	const keys = 20 // with room for all
	s := story{keys}
	for _, point := range []string{"reserved", "half", "written", "published", "dropped", "resetting", "beating"} {
		name := "/" + ipctest.Name(t)
		at := uint64(30)
		for (s.at(at).value == nil) != (point == "dropped") || point == "beating" && at%3 != 0 {
			at++
		}
		w := ipctest.Start(t, ipctest.Command(t, "writer", name, strconv.Itoa(keys), fmt.Sprint(at), point))
		require.Error(t, w.Wait())
		r := open(t, name)
		life, err := r.Life()
		require.NoError(t, err)
		assert.Equal(t, Dead, life)

		done := at // the last write that can be seen
		if point == "reserved" || point == "half" || point == "written" {
			done--
		}
		want := map[string]uint64{}
		for i := uint64(1); i <= done; i++ {
			if delete(want, s.at(i).key); s.at(i).value != nil {
				want[s.at(i).key] = i
			}
		}
		missing := 0
		for i := range keys {
			key := keyName(uint64(i))
			f := get(t, r, key)
			require.NoError(t, s.judge(key, f))
			assert.LessOrEqual(t, f.Index, done)
			if point == "resetting" && !f.Present && want[key] != 0 {
				missing++
				continue
			}
			assert.Equal(t, want[key], f.Revision, "%s, killed at %q of write %d", key, point, at)
		}
		if point == "resetting" {
			assert.Equal(t, 1, missing, "it was killed after it had taken out the first")
		}
		require.NoError(t, posixshm.Unlink(name))
	}
}

func TestAStoppedReaderDelaysNobodyAndAStoppedServerGrowsOld(t *testing.T) {
	const keys = 300
	w, r := pair(t, MinSize)
	reader := start(t, "reader", w.object.Name(), keys)
	stop(t, reader.Process.Pid)
	s := story{keys}
	for i := range uint64(5000) {
		s.do(w, i+1)
	}
	w.Beat(5000, 0)
	for i := range keys {
		key := keyName(uint64(i))
		require.NoError(t, s.judge(key, get(t, r, key)))
	}
	reader.Kill() // where it has been stopped

	name := "/" + ipctest.Name(t)
	defer posixshm.Unlink(name)
	writer := start(t, "writer", name, keys, 1<<62, "")
	stop(t, writer.Process.Pid)
	old := open(t, name)
	first := get(t, old, "key 1")
	ipctest.Eventually(t, func() bool { return get(t, old, "key 1").Age > first.Age }, "the age grows")
	life, err := old.Life()
	require.NoError(t, err)
	assert.Equal(t, Alive, life)
	for i := range keys {
		key := keyName(uint64(i))
		f := get(t, old, key)
		require.NoError(t, s.judge(key, f), "it was stopped anywhere")
		assert.Equal(t, first.Index, f.Index)
	}
}

func stop(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, unix.Kill(pid, unix.SIGSTOP))
	ipctest.Eventually(t, func() bool { return alive.Stopped(pid) }, "all threads have stopped")
}
