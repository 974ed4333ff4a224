package p18rpckv_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/kvrpc"
	"unpipc/gobind/sunrpc"
	"unpipc/projects/internal/ports"
	"unpipc/projects/internal/programs"
	"unpipc/projects/p18rpckv/machine"
)

// The references have stubs of their own, so that they are whole without the bindings.
func TestTheStubsOfTheReferencesAreThoseOfTheInterface(t *testing.T) {
	dir := t.TempDir()
	interfaceFile, err := os.ReadFile("../../capi/kv.x")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kv.x"), interfaceFile, 0o600))
	for flag, file := range map[string]string{"-h": "kv.h", "-c": "kv_xdr.c", "-m": "kv_svc.c"} {
		cmd := exec.Command("rpcgen", "-C", "-M", flag, "-o", file, "kv.x")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		want, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		have, err := os.ReadFile(filepath.Join("ref/rpcgen", file))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(have), "rpcgen -C -M %s -o %s kv.x makes another one", flag, file)
	}
}

func TestReferences(t *testing.T) {
	built := programs.Build(t, "p18rpckv")
	c := func(test func(t *testing.T, bin string)) func(*testing.T) {
		return func(t *testing.T) { test(t, built.C) }
	}
	t.Run("the C server does what the machine does", c(testModel))
	t.Run("a C server that is killed has lost nothing", c(testKilled))
	t.Run("half a record at the log's end is cut", c(testTorn))
	t.Run("damage before the log's end is refused", c(testDamaged))
	t.Run("a full disk ends a C server, and what it has answered stays", c(testFull))
	t.Run("two C servers do not share a folder", c(testShared))
	t.Run("a client that stalls delays nobody", c(testStalled))
	t.Run("a C server is alone", c(testAlone))
	t.Run("both clients say the same", func(t *testing.T) { testSame(t, built) })
	for language, bin := range map[string]string{"Go": built.Go, "C": built.C} {
		t.Run("a write whose answer is lost is done once, client in "+language, func(t *testing.T) { testLostAnswer(t, built.C, bin) })
		t.Run("a write that is never answered may have been done, client in "+language, func(t *testing.T) { testUnknown(t, bin) })
	}
}

// single is a C server.
type single struct {
	*ipctest.Peer
	t    *testing.T
	bin  string
	dir  string
	port int
	addr string
	*kvrpc.Client
	conn *sunrpc.Client
}

func startSingle(t *testing.T, bin, dir string) *single {
	t.Helper()
	s := &single{t: t, bin: bin, dir: dir, port: freePort(t)}
	s.addr = fmt.Sprintf("localhost:%d", s.port)
	s.start()
	t.Cleanup(func() {
		if s.ProcessState == nil {
			s.stop()
		}
		_ = s.conn.Close() // of one that was started again, which is gone by now
	})
	return s
}

func (s *single) command() *exec.Cmd {
	return exec.Command(filepath.Join(s.bin, "kv_server"), "--id=1", fmt.Sprintf("--port=%d", s.port), "--data="+s.dir)
}

func (s *single) start() {
	s.t.Helper()
	s.Peer = ipctest.Start(s.t, s.command())
	require.Contains(s.t, s.Line(), "Serving as server 1 at ")
	var err error
	s.conn, err = sunrpc.Dial(s.t.Context(), "tcp", s.addr, kvrpc.Program, sunrpc.Options{})
	require.NoError(s.t, err)
	s.Client = kvrpc.NewClient(s.conn)
}

func (s *single) stop() {
	s.t.Helper()
	require.NoError(s.t, s.Process.Signal(unix.SIGTERM))
	assert.Empty(s.t, s.Rest())
	_ = s.conn.Close()
}

func (s *single) kill() {
	s.t.Helper()
	s.Kill()
	_ = s.conn.Close()
}

func (s *single) log() string { return filepath.Join(s.dir, "kv.log") }

// freePort is the test's own.
func freePort(t *testing.T) int {
	port, release := ports.Reserve()
	t.Cleanup(release)
	return port
}

// do sends a command, and says how it ended, as a machine does.
func (s *single) do(c machine.Command) machine.Outcome {
	s.t.Helper()
	var w kvrpc.Written
	var err error
	id := kvrpc.WriteID{Client: c.Client, Sequence: c.Sequence}
	switch c.Kind {
	case machine.Put:
		w, err = s.Put(s.t.Context(), id, c.Key, c.Value)
	case machine.Delete:
		w, err = s.Delete(s.t.Context(), id, c.Key)
	default:
		w, err = s.CompareAndSwap(s.t.Context(), id, c.Key, c.Expected, c.Value)
	}
	if err != nil {
		require.IsType(s.t, kvrpc.Status(0), err)
		return machine.Outcome{Status: err.(kvrpc.Status)}
	}
	assert.Equal(s.t, uint32(1), w.Replicas)
	assert.Equal(s.t, uint32(1), w.Members)
	return machine.Outcome{Revision: w.Revision}
}

func (s *single) put(client byte, sequence uint64, key, value string) uint64 {
	s.t.Helper()
	o := s.do(machine.Command{Kind: machine.Put, Client: [16]byte{client}, Sequence: sequence, Key: []byte(key), Value: []byte(value)})
	require.Zero(s.t, o.Status)
	return o.Revision
}

func (s *single) text(key string) string {
	s.t.Helper()
	f, err := s.Get(s.t.Context(), []byte(key), kvrpc.Read{})
	if err != nil {
		return err.Error()
	}
	return string(f.Value)
}

func testModel(t *testing.T, bin string) {
	s := startSingle(t, bin, t.TempDir())
	m := machine.New()
	seed := rand.Uint64()
	t.Log("seed", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	var revision uint64
	sequences := map[int]uint64{} // of the last write that each client has made
	word := func() []byte { return fmt.Appendf(nil, "%d", chance.IntN(6)) }
	for i := range 1000 { // each waits for the disk
		client := chance.IntN(5)
		last, known := sequences[client]
		c := machine.Command{Kind: []machine.Kind{machine.Put, machine.Delete, machine.CompareAndSwap}[chance.IntN(3)],
			Client: [16]byte{byte(client)}, Sequence: last, Key: word()}
		if chance.IntN(10) > 0 { // else it is sent again, or too late
			c.Sequence += uint64(1 + chance.IntN(2))
		} else if chance.IntN(2) == 0 && c.Sequence > 0 {
			c.Sequence--
		}
		if c.Kind != machine.Delete {
			c.Value = word()
		}
		if c.Kind == machine.CompareAndSwap && chance.IntN(3) > 0 {
			c.Expected = kvrpc.Value{Bytes: word(), Present: true}
		}
		if !known || c.Sequence > last {
			revision++
			sequences[client] = c.Sequence
		}
		want := m.Apply(&raft.Log{Index: revision, Data: c.Encode()}).(machine.Outcome)
		if want.Status != 0 {
			want.Revision = 0
		}
		require.Equal(t, want, s.do(c), "write %d: %+v", i, c)
		if i == 700 {
			s.kill()
			s.start()
		}
	}
	for i := range 7 {
		key := fmt.Appendf(nil, "%d", i)
		want, there := m.Get(key)
		got, err := s.Get(t.Context(), key, kvrpc.Read{})
		require.Equal(t, !there, err == kvrpc.NotFound)
		require.Equal(t, want, got)
	}
	got, err := s.List(t.Context(), nil, []byte("2"), kvrpc.Read{})
	require.NoError(t, err)
	assert.Equal(t, m.List(nil, []byte("2")), got)
	for after := uint64(0); after < revision; {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		want, err := m.Watch(ended, []byte("3"), after)
		require.NoError(t, err)
		got, err := s.Watch(t.Context(), []byte("3"), after, 0)
		require.NoError(t, err)
		require.Equal(t, want, got, "after %d", after)
		after = got.Revision
	}
	state, err := s.State(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, m.Keys(), state.Keys)
	assert.Equal(t, revision, state.AppliedIndex)
	assert.Equal(t, []kvrpc.Member{{ID: "1", Addr: s.addr, Voter: true, Match: revision}}, state.Members)
}

func testKilled(t *testing.T, bin string) {
	s := startSingle(t, bin, filepath.Join(t.TempDir(), "made", "by", "it"))
	for i := range uint64(20) {
		require.Equal(t, i+1, s.put(1, i+1, "k", fmt.Sprint(i)))
	}
	s.kill()
	s.start()
	assert.Equal(t, "19", s.text("k"))
	assert.EqualValues(t, 20, s.put(1, 20, "k", "19"), "it was done already, as that revision")
	assert.EqualValues(t, 21, s.put(1, 21, "k", "20"))
	w, err := s.Watch(t.Context(), nil, 18, 0)
	require.NoError(t, err)
	assert.Len(t, w.Changes, 3)
}

// logged is a log of three writes, and where the third one begins.
func logged(t *testing.T, bin string) (dir string, text []byte, third int) {
	t.Helper()
	s := startSingle(t, bin, t.TempDir())
	s.put(1, 1, "a", "first")
	s.put(1, 2, "b", "second")
	text, err := os.ReadFile(s.log())
	require.NoError(t, err)
	third = len(text)
	s.put(1, 3, "c", "third")
	s.stop()
	text, err = os.ReadFile(s.log())
	require.NoError(t, err)
	return s.dir, text, third
}

func testTorn(t *testing.T, bin string) {
	dir, text, third := logged(t, bin)
	zeros := append(bytes.Clone(text[:third]), make([]byte, 100)...)
	torn := [][]byte{zeros, append(bytes.Clone(text), 0)}
	for _, end := range []int{third + 1, third + 15, third + 16, third + 17, len(text) - 1} {
		torn = append(torn, text[:end])
	}
	for i, text := range torn {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "kv.log"), text, 0o600))
		s := startSingle(t, bin, dir)
		assert.Equal(t, "first", s.text("a"))
		assert.Equal(t, "second", s.text("b"))
		if i != 1 {
			assert.Equal(t, "no such key", s.text("c"), "log %d", i)
			s.put(1, 3, "c", "again")
		}
		s.kill()
		s.start()
		assert.NotEqual(t, "no such key", s.text("c"), "log %d", i)
		s.stop()
	}
}

func testDamaged(t *testing.T, bin string) {
	dir, text, third := logged(t, bin)
	for at := 0; at < third; at += 7 {
		damaged := bytes.Clone(text)
		damaged[at] ^= 0x10
		require.NoError(t, os.WriteFile(filepath.Join(dir, "kv.log"), damaged, 0o600))
		out, err := exec.Command(filepath.Join(bin, "kv_server"), "--id=1", fmt.Sprintf("--port=%d", freePort(t)), "--data="+dir).CombinedOutput()
		require.Error(t, err)
		assert.Regexp(t, `^kv_server: \S+/kv.log: (damaged at byte \d+|not a log of this server)`, string(out), "byte %d", at)
		after, err := os.ReadFile(filepath.Join(dir, "kv.log"))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(damaged, after), "byte %d", at)
	}
}

func testFull(t *testing.T, bin string) {
	s := &single{t: t, bin: bin, dir: t.TempDir(), port: freePort(t)}
	limited := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `ulimit -f 8 && exec "$0" "$@"`}, s.command().Args...)...)
	var complaint strings.Builder
	limited.Stderr = &complaint
	require.NoError(t, limited.Start())
	ipctest.Eventually(t, func() (ok bool) {
		s.conn, _ = sunrpc.Dial(t.Context(), "tcp", fmt.Sprintf("localhost:%d", s.port), kvrpc.Program, sunrpc.Options{})
		return s.conn != nil
	}, "it serves")
	s.Client = kvrpc.NewClient(s.conn)
	answered := 0
	for err := error(nil); err == nil && answered < 1000; answered++ {
		_, err = s.Put(t.Context(), kvrpc.WriteID{Sequence: uint64(answered + 1)}, fmt.Append(nil, "key ", answered), make([]byte, 100))
	}
	answered-- // the last one was not
	require.Error(t, limited.Wait())
	_ = s.conn.Close()
	assert.Regexp(t, `^kv_server: write \S+/kv.log: File too large\n$`, complaint.String())
	require.Greater(t, answered, 5)
	require.Less(t, answered, 500)
	s = startSingle(t, bin, s.dir)
	for i := range answered {
		assert.NotEqual(t, "no such key", s.text(fmt.Sprint("key ", i)))
	}
	assert.EqualValues(t, answered+1, s.put(0, uint64(answered+1), "next", "v"))
}

func testShared(t *testing.T, bin string) {
	s := startSingle(t, bin, t.TempDir())
	other := &single{bin: bin, dir: s.dir, port: freePort(t)}
	out, err := other.command().CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "another server uses it")
	out, err = s.command().CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "in use")
	s.put(1, 1, "k", "v")
}

func testStalled(t *testing.T, bin string) {
	s := startSingle(t, bin, t.TempDir())
	for range 20 {
		conn, err := net.Dial("tcp", s.addr)
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.Write([]byte{0x80, 0, 0}) // not even the length of a record
		require.NoError(t, err)
	}
	garbage, err := net.Dial("tcp", s.addr)
	require.NoError(t, err)
	defer garbage.Close()
	_, err = garbage.Write(bytes.Repeat([]byte{0x80, 0, 0, 4, 'x'}, 1000))
	require.NoError(t, err)
	s.put(1, 1, "k", "v")
	assert.Equal(t, "v", s.text("k"))
}

func testAlone(t *testing.T, bin string) {
	s := startSingle(t, bin, t.TempDir())
	assert.ErrorIs(t, s.SetMember(t.Context(), "2", "localhost:9002", false), kvrpc.Conflict)
	_, err := s.Put(t.Context(), kvrpc.WriteID{Sequence: 1}, nil, nil)
	assert.ErrorIs(t, err, kvrpc.BadRequest)
	_, err = s.Get(t.Context(), nil, kvrpc.Read{})
	assert.ErrorIs(t, err, kvrpc.NotFound)
	for _, flag := range []string{"--peers=localhost:9002", "--join"} {
		cmd := s.command()
		cmd.Args = append(cmd.Args, flag)
		out, err := cmd.CombinedOutput()
		assert.ErrorContains(t, err, "exit status 2")
		assert.Regexp(t, "^kv_server: --peers.*alone", string(out))
	}
}
