package cache

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
)

// "create NAME" makes a cache with one key, says so, and ends without closing it when its
// standard input does.
var _ = ipctest.Role("create", func(args []string) int {
	w, err := Create(args[0], MinSize)
	if err != nil {
		fmt.Println(err)
		return 0
	}
	w.Put([]byte("k"), []byte("old"), 1)
	w.Beat(1, 0)
	fmt.Println("made")
	var line string
	_, _ = fmt.Scanln(&line)
	return 0
})

// abandon is the name of a cache whose server was killed.
func abandon(t *testing.T) string {
	t.Helper()
	name := "/" + ipctest.Name(t)
	p := ipctest.Start(t, ipctest.Command(t, "create", name))
	require.Equal(t, "made", p.Line())
	p.Kill()
	t.Cleanup(func() { _ = posixshm.Unlink(name) })
	return name
}

func TestACacheIsForItsUserOnly(t *testing.T) {
	w, _ := pair(t, MinSize)
	st, err := w.object.Stat()
	require.NoError(t, err)
	assert.EqualValues(t, 0o600, st.Mode)
	assert.LessOrEqual(t, st.Bytes, MinSize)
	assert.GreaterOrEqual(t, st.Taken, st.Bytes, "a full /dev/shm is an error at the start, and no SIGBUS later")
}

func TestACacheOfALivingServerIsNotReplaced(t *testing.T) {
	name := "/" + ipctest.Name(t)
	p := ipctest.Start(t, ipctest.Command(t, "create", name))
	require.Equal(t, "made", p.Line())
	_, err := Create(name, MinSize)
	require.ErrorIs(t, err, ErrInUse)
	r := open(t, name)
	assert.Equal(t, "old 1", text(t, r, "k"))
	life, err := r.Life()
	require.NoError(t, err)
	assert.Equal(t, Alive, life)
	p.Kill()
	life, err = r.Life()
	require.NoError(t, err)
	assert.Equal(t, Dead, life)
	assert.Equal(t, "old 1", text(t, r, "k"), "what a dead server knew can be read")
	assert.Equal(t, p.Process.Pid, r.Server())

	w, err := Create(name, MinSize)
	require.NoError(t, err)
	defer w.Close()
	w.Beat(1, 0)
	life, err = r.Life()
	require.NoError(t, err)
	assert.Equal(t, Closed, life, "who has the old one open is told that there is a new one")
	assert.Equal(t, "", text(t, open(t, name), "k"))
}

func TestAServerThatEndsWithoutClosingIsDeadToo(t *testing.T) {
	name := "/" + ipctest.Name(t)
	p := ipctest.Start(t, ipctest.Command(t, "create", name))
	require.Equal(t, "made", p.Line())
	r := open(t, name)
	assert.Empty(t, p.Rest())
	life, err := r.Life()
	require.NoError(t, err)
	assert.Equal(t, Dead, life)
	require.NoError(t, posixshm.Unlink(name))
}

func TestWhatIsNoCacheIsReplacedAndNotRead(t *testing.T) {
	for what, content := range map[string][]byte{
		"nothing":                    {},
		"zeros":                      make([]byte, 8192),
		"a cache that was half made": append(make([]byte, 8), "anything"...),
		"text":                       []byte("this is something else, and longer than a header is"),
		"the magic alone":            magic[:],
	} {
		name := "/" + ipctest.Name(t)
		require.NoError(t, os.WriteFile(filepath.Join("/dev/shm", name), content, 0o600))
		_, err := Open(name)
		require.Error(t, err, what)
		w, err := Create(name, MinSize)
		require.NoError(t, err, what)
		w.Beat(1, 0)
		w.Put([]byte("k"), []byte("v"), 1)
		assert.Equal(t, "v 1", text(t, open(t, name), "k"), what)
		require.NoError(t, w.Close())
	}
}

func TestAnotherUsersObjectIsNotBelieved(t *testing.T) {
	w, _ := pair(t, MinSize)
	file := filepath.Join("/dev/shm", w.object.Name())
	require.NoError(t, os.Chmod(file, 0o622))
	_, err := Open(w.object.Name())
	assert.ErrorIs(t, err, unix.EPERM, "others may write it")
	require.NoError(t, os.Chmod(file, 0o600))
	if err := os.Chown(file, 12345, 12345); err != nil {
		require.ErrorIs(t, err, unix.EPERM, "only root can give it away")
		return
	}
	_, err = Open(w.object.Name())
	assert.ErrorIs(t, err, unix.EPERM)
	_, err = Create(w.object.Name(), MinSize)
	assert.ErrorIs(t, err, unix.EPERM)
	assert.FileExists(t, file)
}

func TestOneOfManyThatStartAtOnceHasTheCache(t *testing.T) {
	name := abandon(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	var winners []*Writer
	for range 16 {
		all.Go(func() {
			w, err := Create(name, MinSize)
			if err != nil {
				assert.ErrorIs(t, err, ErrInUse)
				return
			}
			mu.Lock()
			winners = append(winners, w)
			mu.Unlock()
		})
	}
	all.Wait()
	require.Len(t, winners, 1)
	assert.True(t, linked(winners[0].object))
	require.NoError(t, winners[0].Close())
}

func TestSizesThatDoNotFit(t *testing.T) {
	for _, size := range []int{-1, 0, MinSize - 1, MaxSize + 1} {
		_, err := Create("/"+ipctest.Name(t), size)
		assert.ErrorIs(t, err, unix.EINVAL, size)
	}
	for _, size := range []int{MinSize, MinSize + 13, 1000003, DefaultSize, MaxSize} {
		h := newHeader(size)
		h.magic = magic
		assert.True(t, h.fits(int64(h.size)), size)
		assert.LessOrEqual(t, h.size, uint64(size))
		assert.Greater(t, h.size, uint64(size)-2*wordSize)
		assert.False(t, h.fits(int64(h.size)-1), size)
	}
}

func TestEveryBitOfAHeaderCounts(t *testing.T) {
	h := newHeader(MinSize)
	h.magic = magic
	for bit := range headerSize * 8 {
		damaged := h
		bytesOfHeader(&damaged)[bit/8] ^= 1 << (bit % 8)
		assert.False(t, damaged.fits(int64(h.size)), "bit %d", bit)
	}
}

func TestNamesAndHowTheyAreFound(t *testing.T) {
	assert.Equal(t, fmt.Sprintf("/unpipc-kv-%d-a%%2Fb-9001", os.Geteuid()), Name("a/b", 9001))
	port := 20000 + os.Getpid()%10000
	for _, id := range []string{"1", "x-2"} {
		w, err := Create(Name(id, port), MinSize)
		require.NoError(t, err)
		defer w.Close()
	}
	names, err := Find(port)
	require.NoError(t, err)
	assert.Equal(t, []string{Name("1", port), Name("x-2", port)}, names)
	for _, port := range []int{port % 10000, port / 10, port + 1} {
		names, err = Find(port)
		require.NoError(t, err)
		assert.Empty(t, names)
	}
}

func TestLeftoversAreTheCachesOfDeadServers(t *testing.T) {
	name := func(id string) string { return Name(id, os.Getpid()%60000+1024) }
	kill := func(id string) {
		p := ipctest.Start(t, ipctest.Command(t, "create", name(id)))
		require.Equal(t, "made", p.Line())
		p.Kill()
	}
	kill("dead")
	kill("dead and replaced")
	require.NoError(t, os.WriteFile(filepath.Join("/dev/shm", name("half made")), nil, 0o600))
	living, err := Create(name("living"), MinSize)
	require.NoError(t, err)
	defer living.Close()

	left, err := Leftovers()
	require.NoError(t, err)
	again, err := Create(name("dead and replaced"), MinSize)
	require.NoError(t, err)
	defer again.Close()
	removed := map[string]error{}
	for _, l := range left {
		require.NotEmpty(t, l.Why)
		for _, id := range []string{"dead", "dead and replaced", "half made", "living"} {
			if l.Name == "/dev/shm"+name(id) {
				removed[id] = l.Remove()
			}
		}
	}
	require.Len(t, removed, 3)
	assert.NoError(t, removed["dead"])
	assert.NoError(t, removed["half made"])
	assert.ErrorContains(t, removed["dead and replaced"], "in use again")
	assert.NoFileExists(t, "/dev/shm"+name("dead"))
	assert.NoFileExists(t, "/dev/shm"+name("half made"))
	assert.FileExists(t, "/dev/shm"+name("dead and replaced"))
}
