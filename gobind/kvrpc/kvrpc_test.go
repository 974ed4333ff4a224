package kvrpc_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/kvrpc"
	"unpipc/gobind/sunrpc"
	"unpipc/gobind/sunrpc/recordtest"
	"unpipc/gobind/sunrpc/servetest"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

var background = context.Background()

// scribe answers every call, with what the variables below say.
type scribe struct{ servetest.Scribe }

var (
	written = kvrpc.Written{Revision: 1 << 40, Replicas: 2, Members: 3}
	found   = kvrpc.Found{Value: []byte("v\x00w"), Revision: 1 << 41}
	listed  = kvrpc.Listed{Keys: [][]byte{[]byte("a"), nil, []byte("bcdef")}, More: true}
	watched = kvrpc.Watched{Revision: 1 << 42, Changes: []kvrpc.Change{
		{Key: []byte("a"), Value: kvrpc.Value{Bytes: []byte("1"), Present: true}, Revision: 1},
		{Key: []byte("b"), Revision: 2},
		{Key: []byte("c"), Value: kvrpc.Value{Present: true}, Revision: 3},
	}}
	state = kvrpc.State{
		ID: "1", Role: "leader", Leader: "1", Term: 2, LastIndex: 3, CommitIndex: 4, AppliedIndex: 5, SnapIndex: 6,
		Keys: 7, Members: []kvrpc.Member{{ID: "1", Addr: "localhost:9001", Voter: true, Match: 8}, {ID: "2"}},
	}
)

func (s *scribe) Put(_ *sunrpc.Request, id kvrpc.WriteID, key, value []byte) (kvrpc.Written, error) {
	return written, s.Note(id, bytes.Clone(key), bytes.Clone(value))
}

func (s *scribe) Delete(_ *sunrpc.Request, id kvrpc.WriteID, key []byte) (kvrpc.Written, error) {
	return written, s.Note(id, bytes.Clone(key))
}

func (s *scribe) CompareAndSwap(_ *sunrpc.Request, id kvrpc.WriteID, key []byte, expected kvrpc.Value, value []byte) (kvrpc.Written, error) {
	expected.Bytes = bytes.Clone(expected.Bytes)
	return written, s.Note(id, bytes.Clone(key), expected, bytes.Clone(value))
}

func (s *scribe) Get(_ *sunrpc.Request, key []byte, how kvrpc.Read) (kvrpc.Found, error) {
	return found, s.Note(bytes.Clone(key), how)
}

func (s *scribe) List(_ *sunrpc.Request, prefix, after []byte, how kvrpc.Read) (kvrpc.Listed, error) {
	return listed, s.Note(bytes.Clone(prefix), bytes.Clone(after), how)
}

func (s *scribe) Watch(_ *sunrpc.Request, prefix []byte, after uint64, wait time.Duration) (kvrpc.Watched, error) {
	return watched, s.Note(bytes.Clone(prefix), after, wait)
}

func (s *scribe) State(*sunrpc.Request) (kvrpc.State, error) {
	return state, s.Note()
}

func (s *scribe) SetMember(_ *sunrpc.Request, id, addr string, forwarded bool) error {
	return s.Note(id, addr, forwarded)
}

func start(t *testing.T, s kvrpc.Server) *kvrpc.Client {
	t.Helper()
	server := sunrpc.NewServer(sunrpc.ServerOptions{})
	server.Handle(kvrpc.Service(s))
	return kvrpc.NewClient(servetest.Dial(t, servetest.Start(t, server, "tcp"), kvrpc.Program))
}

var (
	id    = kvrpc.WriteID{Client: [16]byte{0: 255, 15: 1}, Sequence: 1 << 50, Forwarded: true}
	key   = []byte("my\x00key")
	value = []byte("Hello World")
	some  = kvrpc.Value{Bytes: []byte("old"), Present: true}
)

var calls = []servetest.Call[*kvrpc.Client]{
	func(c *kvrpc.Client) ([]any, any, any, error) {
		got, err := c.Put(background, id, key, value)
		return []any{id, key, value}, written, got, err
	},
	func(c *kvrpc.Client) ([]any, any, any, error) {
		got, err := c.Get(background, key, kvrpc.Read{Local: true})
		return []any{key, kvrpc.Read{Local: true}}, found, got, err
	},
	func(c *kvrpc.Client) ([]any, any, any, error) {
		got, err := c.Delete(background, id, key)
		return []any{id, key}, written, got, err
	},
	func(c *kvrpc.Client) ([]any, any, any, error) {
		got, err := c.CompareAndSwap(background, id, key, some, value)
		return []any{id, key, some, value}, written, got, err
	},
	func(c *kvrpc.Client) ([]any, any, any, error) {
		got, err := c.CompareAndSwap(background, id, key, kvrpc.Value{}, value)
		return []any{id, key, kvrpc.Value{}, value}, written, got, err
	},
	func(c *kvrpc.Client) ([]any, any, any, error) {
		got, err := c.CompareAndSwap(background, id, key, kvrpc.Value{Present: true}, nil)
		return []any{id, key, kvrpc.Value{Present: true}, []byte(nil)}, written, got, err
	},
	func(c *kvrpc.Client) ([]any, any, any, error) {
		got, err := c.List(background, []byte("m"), key, kvrpc.Read{Forwarded: true})
		return []any{[]byte("m"), key, kvrpc.Read{Forwarded: true}}, listed, got, err
	},
	func(c *kvrpc.Client) ([]any, any, any, error) {
		got, err := c.Watch(background, nil, 1<<52, 1500*time.Millisecond)
		return []any{[]byte(nil), uint64(1 << 52), 1500 * time.Millisecond}, watched, got, err
	},
	func(c *kvrpc.Client) ([]any, any, any, error) {
		return []any{"4", "localhost:9004", true}, nil, nil, c.SetMember(background, "4", "localhost:9004", true)
	},
	func(c *kvrpc.Client) ([]any, any, any, error) {
		got, err := c.State(background)
		return nil, state, got, err
	},
}

func TestEveryCallArrivesAsItWasMadeAndIsAnswered(t *testing.T) {
	s := &scribe{}
	servetest.AssertAnswered(t, &s.Scribe, start(t, s), calls)
}

func TestAStatusIsAResultAndOtherErrorsRefuseTheCall(t *testing.T) {
	s := &scribe{}
	servetest.AssertFail(t, &s.Scribe, func() *kvrpc.Client { return start(t, s) }, calls[:len(calls)-1], map[error]error{
		kvrpc.NotFound: kvrpc.NotFound, kvrpc.Mismatch: kvrpc.Mismatch, kvrpc.NoQuorum: kvrpc.NoQuorum,
		kvrpc.Unknown: kvrpc.Unknown, kvrpc.Conflict: kvrpc.Conflict, kvrpc.Status(77): kvrpc.Status(77),
		kvrpc.Status(0): sunrpc.SystemError, errors.New("anything else"): sunrpc.SystemError,
		sunrpc.AuthTooWeak: sunrpc.AuthTooWeak,
	})
	s.Fail(kvrpc.NotFound)
	_, err := start(t, s).State(background)
	assert.ErrorIs(t, err, sunrpc.SystemError, "a state has no status")
}

func TestWhatIsOverABoundIsNotSent(t *testing.T) {
	s := &scribe{}
	long := bytes.Repeat([]byte("x"), kvrpc.MaxValue+1)
	for name, call := range map[string]func(*kvrpc.Client) error{
		"key": func(c *kvrpc.Client) error {
			_, err := c.Get(background, long[:kvrpc.MaxKey+1], kvrpc.Read{})
			return err
		},
		"value": func(c *kvrpc.Client) error { _, err := c.Put(background, id, key, long); return err },
		"expected": func(c *kvrpc.Client) error {
			_, err := c.CompareAndSwap(background, id, key, kvrpc.Value{Bytes: long, Present: true}, value)
			return err
		},
		"id":      func(c *kvrpc.Client) error { return c.SetMember(background, string(long[:kvrpc.MaxName+1]), "", false) },
		"address": func(c *kvrpc.Client) error { return c.SetMember(background, "", string(long[:kvrpc.MaxName+1]), false) },
	} {
		assert.ErrorIs(t, call(start(t, s)), sunrpc.CantEncodeArgs, name)
	}
	assert.Nil(t, s.Asked())
	_, err := start(t, s).Put(background, id, long[:kvrpc.MaxKey], long[:kvrpc.MaxValue])
	require.NoError(t, err, "the bounds themselves")
}

func TestAnAnswerOverABoundIsAnErrorOfTheServer(t *testing.T) {
	old := found
	defer func() { found = old }()
	found.Value = make([]byte, kvrpc.MaxValue+1)
	_, err := start(t, &scribe{}).Get(background, key, kvrpc.Read{})
	assert.ErrorIs(t, err, sunrpc.SystemError)
	oldState := state
	defer func() { state = oldState }()
	state.Leader = string(make([]byte, kvrpc.MaxName+1))
	_, err = start(t, &scribe{}).State(background)
	assert.ErrorIs(t, err, sunrpc.SystemError)
}

func TestStatusesAreReadable(t *testing.T) {
	assert.EqualError(t, kvrpc.Unknown, "outcome unknown")
	assert.EqualError(t, kvrpc.Status(77), "key-value store status 77")
}

// records are the calls with arguments.
func records(t testing.TB) [][]byte {
	return recordtest.All(t, kvrpc.Program, kvrpc.NewClient, calls[:len(calls)-1])
}

func TestACallThatIsCutShortIsGarbage(t *testing.T) {
	s := &scribe{}
	recordtest.AssertGarbage(t, kvrpc.Service(s), &s.Scribe, records(t), recordtest.CutShort, recordtest.Inflate)
}

// FuzzServer plays any bytes to a server: it lives, and ends the connection after its end.
func FuzzServer(f *testing.F) {
	play := recordtest.Serve(f, kvrpc.Service(&scribe{}))
	recordtest.Seed(f, records(f))
	f.Fuzz(func(t *testing.T, stream []byte) { play(t, stream) })
}
