package node_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/kvrpc"
	"unpipc/gobind/sunrpc"
	"unpipc/projects/internal/ports"
	"unpipc/projects/p18rpckv/node"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

var background = context.Background()

// patience bounds hanging only.
const patience = time.Minute

// server is a node in this process, which may be stopped and started again.
type server struct {
	node.Options
	t     *testing.T
	told  ipctest.Log
	stop  func() error // nil: it is stopped
	calls *kvrpc.Client
}

// vacant are addresses that nobody listens at.
func vacant(t *testing.T, n int) (addrs []string) {
	for range n {
		port, release := ports.Reserve()
		t.Cleanup(release)
		addrs = append(addrs, fmt.Sprintf("127.0.0.1:%d", port))
	}
	return addrs
}

// newServers are n servers that are each other's peers, and not started yet.
func newServers(t *testing.T, n int) []*server {
	t.Helper()
	addrs := vacant(t, n)
	servers := make([]*server, n)
	for i, addr := range addrs {
		s := &server{t: t}
		s.Options = node.Options{
			ID: fmt.Sprint(i + 1), Addr: addr, Listen: addr, Data: filepath.Join(t.TempDir(), "data"),
			Peers: slices.DeleteFunc(slices.Clone(addrs), func(a string) bool { return a == addr }),
			Wait:  2 * time.Second,
			Tell:  func(format string, args ...any) { fmt.Fprintf(&s.told, format+"\n", args...) },
		}
		pool := sunrpc.NewPool(4, func(ctx context.Context) (*sunrpc.Client, error) {
			return sunrpc.Dial(ctx, "tcp", addr, kvrpc.Program, sunrpc.Options{Timeout: patience})
		})
		s.calls = kvrpc.NewClient(pool)
		servers[i] = s
		t.Cleanup(func() {
			s.end()
			assert.NoError(t, pool.Close())
		})
	}
	return servers
}

func startServers(t *testing.T, n int) []*server {
	t.Helper()
	servers := newServers(t, n)
	for _, s := range servers {
		s.start()
	}
	return servers
}

func (s *server) start() {
	s.t.Helper()
	n, err := node.Start(s.Options)
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(background)
	done := make(chan error, 1)
	go func() { done <- n.Serve(ctx) }()
	s.stop = func() error {
		cancel()
		return <-done
	}
}

func (s *server) end() {
	if s.stop != nil {
		assert.NoError(s.t, s.stop())
		s.stop = nil
	}
}

var sequence uint64

// next is the id of a new write.
func next() kvrpc.WriteID {
	sequence++
	return kvrpc.WriteID{Client: [16]byte{7}, Sequence: sequence}
}

// settled says whether an error is not one that another try may be without.
func settled(err error) bool {
	var status kvrpc.Status
	return errors.As(err, &status) && status != kvrpc.NoQuorum && status != kvrpc.Unknown
}

// put writes at a server, with the same id until it has an answer.
func (s *server) put(id kvrpc.WriteID, key, value string) (w kvrpc.Written) {
	s.t.Helper()
	ipctest.Eventually(s.t, func() (done bool) {
		var err error
		w, err = s.calls.Put(background, id, []byte(key), []byte(value))
		return err == nil
	}, "put "+key)
	return w
}

// get reads at a server; "" is no such key.
func (s *server) get(key string) (value string) {
	s.t.Helper()
	ipctest.Eventually(s.t, func() bool {
		f, err := s.calls.Get(background, []byte(key), kvrpc.Read{})
		value = string(f.Value)
		return err == nil || settled(err)
	}, "get "+key)
	return value
}

// leader waits until all servers agree on who leads.
func leader(t *testing.T, servers []*server) (l *server) {
	t.Helper()
	ipctest.Eventually(t, func() bool {
		l = nil
		leaders := map[string]bool{}
		for _, s := range servers {
			state, err := s.calls.State(background)
			if err != nil || state.Leader == "" {
				return false
			}
			leaders[state.Leader] = true
			if state.Role == "leader" {
				l = s
			}
		}
		return l != nil && len(leaders) == 1 && leaders[l.ID]
	}, "a leader that all know, by its id")
	return l
}

func others(servers []*server, but *server) []*server {
	return slices.DeleteFunc(slices.Clone(servers), func(s *server) bool { return s == but })
}

func TestAnyServerAnswersAndEveryReadSeesTheWritesBefore(t *testing.T) {
	servers := startServers(t, 3)
	for i, s := range servers {
		value := fmt.Sprint("value ", i)
		w := s.put(next(), "key", value)
		assert.EqualValues(t, 3, w.Members)
		assert.LessOrEqual(t, w.Replicas, uint32(3))
		assert.GreaterOrEqual(t, w.Replicas, uint32(2))
		for _, r := range servers {
			assert.Equal(t, value, r.get("key"))
		}
	}
	for _, s := range servers {
		page, err := s.calls.List(background, []byte("k"), nil, kvrpc.Read{})
		if err == nil { // else the leader has just changed
			assert.Equal(t, [][]byte{[]byte("key")}, page.Keys)
		}
	}
}

func TestAWriteThatIsSentToEveryServerIsDoneOnce(t *testing.T) {
	servers := startServers(t, 3)
	first, second := next(), next()
	revisions := map[uint64]bool{}
	for _, s := range servers {
		revisions[s.put(first, "key", "a").Revision] = true
	}
	assert.Len(t, revisions, 1)
	servers[0].put(second, "key", "b")
	_, err := servers[1].calls.Put(background, first, []byte("key"), []byte("a"))
	assert.ErrorIs(t, err, kvrpc.Stale)
	assert.Equal(t, "b", servers[2].get("key"))
}

func TestACallThatWasForwardedIsNotForwardedAgain(t *testing.T) {
	servers := startServers(t, 3)
	servers[0].put(next(), "key", "a")
	follower := others(servers, leader(t, servers))[0]
	id := next()
	id.Forwarded = true
	_, err := follower.calls.Put(background, id, []byte("key"), []byte("b"))
	assert.ErrorIs(t, err, kvrpc.NoQuorum)
	_, err = follower.calls.Get(background, []byte("key"), kvrpc.Read{Forwarded: true})
	assert.ErrorIs(t, err, kvrpc.NoQuorum)
	assert.ErrorIs(t, follower.calls.SetMember(background, "9", "localhost:1", true), kvrpc.NoQuorum)
}

func TestOneOfThreeHasNoMajorityAndSaysSo(t *testing.T) {
	servers := startServers(t, 3)
	servers[0].put(next(), "key", "a")
	left := leader(t, servers)
	ipctest.Eventually(t, func() bool {
		f, err := left.calls.Get(background, []byte("key"), kvrpc.Read{Local: true})
		return err == nil && string(f.Value) == "a"
	}, "it has applied the write")
	for _, s := range others(servers, left) {
		s.end()
	}
	ipctest.Eventually(t, func() bool {
		_, err := left.calls.Put(background, next(), []byte("key"), []byte("b"))
		require.Error(t, err)
		return errors.Is(err, kvrpc.NoQuorum)
	}, "it knows that it is alone")
	_, err := left.calls.Get(background, []byte("key"), kvrpc.Read{})
	assert.ErrorIs(t, err, kvrpc.NoQuorum)
	f, err := left.calls.Get(background, []byte("key"), kvrpc.Read{Local: true})
	require.NoError(t, err)
	assert.Equal(t, "a", string(f.Value))
	for _, s := range others(servers, left) {
		s.start()
	}
	last := next()
	assert.Equal(t, servers[2].put(last, "key", "c").Revision, servers[1].put(last, "key", "c").Revision)
	assert.Equal(t, "c", left.get("key"))
}

func TestServersBeginInAnyOrderAndAMajorityIsEnough(t *testing.T) {
	servers := newServers(t, 3)
	servers[2].start()
	_, err := servers[2].calls.Put(background, next(), []byte("key"), []byte("a"))
	assert.ErrorIs(t, err, kvrpc.NoQuorum)
	servers[0].start()
	w := servers[0].put(next(), "key", "b")
	assert.Equal(t, []uint32{2, 3}, []uint32{w.Replicas, w.Members})
	servers[1].start()
	assert.Equal(t, "b", servers[1].get("key"))
}

func TestAnEmptyKeyIsRefused(t *testing.T) {
	s := startServers(t, 1)[0]
	_, err := s.calls.Put(background, next(), nil, nil)
	assert.ErrorIs(t, err, kvrpc.BadRequest)
	assert.ErrorIs(t, s.calls.SetMember(background, "", "", false), kvrpc.BadRequest)
}

func TestWhoWatchesIsToldWhenTheServerEnds(t *testing.T) {
	s := startServers(t, 1)[0]
	w := s.put(next(), "key", "a")
	done := make(chan kvrpc.Watched, 1)
	go func() {
		watched, err := s.calls.Watch(background, nil, w.Revision, patience)
		assert.NoError(t, err)
		done <- watched
	}()
	s.put(next(), "key", "b")
	assert.Len(t, (<-done).Changes, 1)
	go func() {
		watched, _ := s.calls.Watch(background, nil, w.Revision+100, patience)
		done <- watched
	}()
	s.end()
	assert.Empty(t, (<-done).Changes)
}

func TestMembersComeAndGo(t *testing.T) {
	servers := newServers(t, 3)
	one, two, three := servers[0], servers[1], servers[2]
	one.Peers, two.Peers, two.Join, three.Peers = nil, nil, true, nil
	one.start()
	one.put(next(), "key", "a")
	assert.ErrorIs(t, one.calls.SetMember(background, "2", two.Addr, false), kvrpc.Conflict, "nobody is there")
	two.start()
	three.start() // a cluster of its own
	three.put(next(), "key", "z")
	for what, err := range map[string]error{
		"another id":      one.calls.SetMember(background, "5", two.Addr, false),
		"another cluster": one.calls.SetMember(background, "3", three.Addr, false),
		"not a member":    one.calls.SetMember(background, "2", "", false),
		"the last one":    one.calls.SetMember(background, "1", "", false),
	} {
		assert.ErrorIs(t, err, kvrpc.Conflict, what)
	}
	ipctest.Eventually(t, func() bool {
		err := one.calls.SetMember(background, "2", two.Addr, false)
		return err == nil || errors.Is(err, kvrpc.Conflict) // it is so already
	}, "let in")
	assert.Equal(t, "a", two.get("key"))
	leader(t, []*server{one, two})
	state, err := two.calls.State(background)
	require.NoError(t, err)
	require.Len(t, state.Members, 2)
	assert.ErrorIs(t, one.calls.SetMember(background, "2", "localhost:1", false), kvrpc.Conflict, "the id is taken")
	ipctest.Eventually(t, func() bool {
		err := two.calls.SetMember(background, "1", "", false)
		return err == nil || errors.Is(err, kvrpc.Conflict)
	}, "taken out")
	assert.EqualValues(t, 1, two.put(next(), "key", "b").Members)
}

func TestTheFolderIsThatOfOneServer(t *testing.T) {
	servers := newServers(t, 2)
	one, two := servers[0], servers[1]
	one.Peers, two.Peers = nil, nil
	one.start()
	one.put(next(), "key", "a")
	two.Data = one.Data
	_, err := node.Start(two.Options)
	require.ErrorIs(t, err, node.ErrData)
	assert.ErrorContains(t, err, "another server uses "+one.Data)
	one.end()
	_, err = node.Start(two.Options)
	require.ErrorIs(t, err, node.ErrData)
	assert.ErrorContains(t, err, one.Addr)
	one.Peers = []string{two.Addr}
	one.start()
	assert.Contains(t, one.told.String(), "--peers")
	assert.Equal(t, "a", one.get("key"))
}

// snapshot makes a server write one, and ends it.
func (s *server) snapshot() (folder string) {
	s.t.Helper()
	s.Snapshots = 4
	s.start()
	for i := range 12 {
		s.put(next(), fmt.Sprint("key ", i), "value")
	}
	ipctest.Eventually(s.t, func() bool {
		state, err := s.calls.State(background)
		return err == nil && state.SnapIndex > 0
	}, "a snapshot")
	s.end()
	folders, err := filepath.Glob(filepath.Join(s.Data, "snapshots", "*-*"))
	require.NoError(s.t, err)
	require.NotEmpty(s.t, folders)
	return folders[len(folders)-1]
}

func TestWhatIsDamagedIsRefusedByItsName(t *testing.T) {
	s := newServers(t, 1)[0]
	folder := s.snapshot()
	require.NoError(t, os.MkdirAll(filepath.Join(s.Data, "snapshots", "1-2-3.tmp"), 0o700))
	s.start() // it is sound
	assert.Equal(t, "value", s.get("key 11"))
	s.end()
	assert.NoDirExists(t, filepath.Join(s.Data, "snapshots", "1-2-3.tmp"))

	file := filepath.Join(folder, "state.bin")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	text[len(text)/2] ^= 1
	require.NoError(t, os.WriteFile(file, text, 0o600))
	_, err = node.Start(s.Options)
	require.ErrorIs(t, err, node.ErrData)
	assert.ErrorContains(t, err, filepath.Base(folder))

	all := filepath.Dir(folder)
	require.NoError(t, os.RemoveAll(all))
	_, err = node.Start(s.Options)
	require.ErrorIs(t, err, node.ErrData)
	assert.ErrorContains(t, err, "lost")
	require.NoError(t, os.WriteFile(filepath.Join(s.Data, "log"), []byte(strings.Repeat("no log\n", 10000)), 0o600))
	_, err = node.Start(s.Options)
	assert.ErrorContains(t, err, filepath.Join(s.Data, "log"))
}

func TestAPortThatIsTakenIsAnError(t *testing.T) {
	servers := startServers(t, 1)
	again := servers[0].Options
	again.Data = t.TempDir()
	_, err := node.Start(again)
	var taken *net.OpError
	require.ErrorAs(t, err, &taken)
	files, err := os.ReadDir(again.Data)
	require.NoError(t, err)
	assert.Empty(t, files, "nothing was begun")
}
