package raftrpc_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/raftrpc"
	"unpipc/gobind/sunrpc"
	"unpipc/gobind/sunrpc/recordtest"
	"unpipc/gobind/sunrpc/servetest"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

var background = context.Background()

// scribe remembers what it was asked last, and answers with what it is told.
type scribe struct {
	mu   sync.Mutex
	last any
	err  error
}

func (s *scribe) note(asked any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = asked
}

func (s *scribe) asked() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

var answer = raftrpc.Header{Protocol: 3, ID: []byte("b"), Addr: []byte("localhost:9002")}

func (s *scribe) Append(_ *sunrpc.Request, a *raftrpc.AppendArgs) (raftrpc.AppendResult, error) {
	s.note(*a)
	return raftrpc.AppendResult{Header: answer, Term: 1 << 40, LastIndex: 1<<63 + 7, Success: true, NoBackoff: true}, s.err
}

func (s *scribe) Vote(_ *sunrpc.Request, a *raftrpc.VoteArgs) (raftrpc.VoteResult, error) {
	s.note(*a)
	return raftrpc.VoteResult{Header: answer, Term: 8, Granted: true}, s.err
}

func (s *scribe) PreVote(_ *sunrpc.Request, a *raftrpc.VoteArgs) (raftrpc.VoteResult, error) {
	s.note(*a)
	return raftrpc.VoteResult{Header: answer, Term: 9}, s.err
}

func (s *scribe) OpenSnapshot(_ *sunrpc.Request, a *raftrpc.SnapshotArgs) (uint64, error) {
	s.note(*a)
	return 1<<50 + 1, s.err
}

type chunk struct {
	stream, offset uint64
	bytes          string
}

func (s *scribe) SnapshotChunk(_ *sunrpc.Request, stream, offset uint64, b []byte) error {
	s.note(chunk{stream, offset, string(b)})
	return s.err
}

func (s *scribe) CloseSnapshot(_ *sunrpc.Request, stream uint64) (raftrpc.SnapshotResult, error) {
	s.note(stream)
	return raftrpc.SnapshotResult{Header: answer, Term: 10, Success: true}, s.err
}

func (s *scribe) TimeoutNow(_ *sunrpc.Request, h raftrpc.Header) (raftrpc.Header, error) {
	s.note(h)
	return answer, s.err
}

func start(t *testing.T, s raftrpc.Server) *raftrpc.Client {
	t.Helper()
	server := sunrpc.NewServer(sunrpc.ServerOptions{MaxRecord: 4 << 20})
	server.Handle(raftrpc.Service(s))
	return raftrpc.NewClient(servetest.Dial(t, servetest.Start(t, server, "tcp"), raftrpc.Program))
}

var (
	speaker = raftrpc.Header{Protocol: 3, ID: []byte("a\x00b"), Addr: []byte("localhost:9001")}
	entries = []raftrpc.Entry{
		{Index: 1 << 60, Term: 2, Kind: 5, Payload: []byte("one"), Extensions: []byte{0, 1}, Appended: -7},
		{Index: 1<<60 + 1, Term: 3, Payload: bytes.Repeat([]byte{7}, 1001)},
	}
	appending = raftrpc.AppendArgs{Header: speaker, Term: 4, PrevIndex: 5, PrevTerm: 3, Commit: 1 << 33, Entries: entries}
	voting    = raftrpc.VoteArgs{Header: speaker, Term: 6, LastIndex: 7, LastTerm: 1 << 35, Transfer: true}
	opening   = raftrpc.SnapshotArgs{
		Header: speaker, Format: 1, Term: 7, LastIndex: 8, LastTerm: 9, Configuration: []byte("three"),
		ConfigurationIndex: 10, Size: 1 << 40,
	}
)

// calls makes each call once, and returns what the server is asked by it.
func calls(t testing.TB, c *raftrpc.Client, fails func(error)) []func() any {
	return []func() any{
		func() any {
			got, err := c.Append(background, &appending)
			if fails(err); err == nil {
				assert.Equal(t, raftrpc.AppendResult{Header: answer, Term: 1 << 40, LastIndex: 1<<63 + 7, Success: true, NoBackoff: true}, got)
			}
			return appending
		},
		func() any {
			got, err := c.Vote(background, &voting)
			if fails(err); err == nil {
				assert.Equal(t, raftrpc.VoteResult{Header: answer, Term: 8, Granted: true}, got)
			}
			return voting
		},
		func() any {
			got, err := c.PreVote(background, &voting)
			if fails(err); err == nil {
				assert.Equal(t, raftrpc.VoteResult{Header: answer, Term: 9}, got)
			}
			return voting
		},
		func() any {
			stream, err := c.OpenSnapshot(background, &opening)
			if fails(err); err == nil {
				assert.EqualValues(t, 1<<50+1, stream)
			}
			return opening
		},
		func() any {
			fails(c.SnapshotChunk(background, 1<<50, 1<<34, []byte("bytes")))
			return chunk{1 << 50, 1 << 34, "bytes"}
		},
		func() any {
			got, err := c.CloseSnapshot(background, 1<<50)
			if fails(err); err == nil {
				assert.Equal(t, raftrpc.SnapshotResult{Header: answer, Term: 10, Success: true}, got)
			}
			return uint64(1 << 50)
		},
		func() any {
			got, err := c.TimeoutNow(background, &speaker)
			if fails(err); err == nil {
				assert.Equal(t, answer, got)
			}
			return speaker
		},
	}
}

func TestEveryCallArrivesAsItWasMadeAndIsAnswered(t *testing.T) {
	s := &scribe{}
	for _, call := range calls(t, start(t, s), func(err error) { require.NoError(t, err) }) {
		want := call()
		assert.Equal(t, want, s.asked())
	}
}

func TestARefusalComesBackInItsWords(t *testing.T) {
	s := &scribe{}
	long := strings.Repeat("x", 1024)
	for given, want := range map[error]error{
		raftrpc.Refusal("disk full"):          raftrpc.Refusal("disk full"),
		raftrpc.Refusal(long + "y"):           raftrpc.Refusal(long),
		errors.New("anything else"):           sunrpc.SystemError,
		sunrpc.AuthTooWeak:                    sunrpc.AuthTooWeak,
		sunrpc.ProcedureUnavailable:           sunrpc.ProcedureUnavailable,
		error(raftrpc.Refusal("")):            sunrpc.SystemError,
		errors.Join(raftrpc.Refusal("in it")): raftrpc.Refusal("in it"),
	} {
		s.err = given
		for _, call := range calls(t, start(t, s), func(err error) { assert.ErrorIs(t, err, want) }) {
			call()
		}
	}
}

func TestWhatIsOverABoundIsNotSent(t *testing.T) {
	s := &scribe{}
	c := start(t, s)
	over := func(n int) []byte { return make([]byte, n+1) }
	for name, a := range map[string]raftrpc.AppendArgs{
		"id":         {Header: raftrpc.Header{ID: over(raftrpc.MaxName)}},
		"address":    {Header: raftrpc.Header{Addr: over(raftrpc.MaxName)}},
		"entries":    {Entries: make([]raftrpc.Entry, raftrpc.MaxEntries+1)},
		"payload":    {Entries: []raftrpc.Entry{{Payload: over(raftrpc.MaxPayload)}}},
		"extensions": {Entries: []raftrpc.Entry{{Extensions: over(raftrpc.MaxExtensions)}}},
	} {
		_, err := c.Append(background, &a)
		assert.ErrorIs(t, err, sunrpc.CantEncodeArgs, name)
		c = start(t, s)
	}
	_, err := c.OpenSnapshot(background, &raftrpc.SnapshotArgs{Configuration: over(raftrpc.MaxConfiguration)})
	assert.ErrorIs(t, err, sunrpc.CantEncodeArgs)
	assert.ErrorIs(t, start(t, s).SnapshotChunk(background, 1, 0, over(raftrpc.MaxChunk)), sunrpc.CantEncodeArgs)
	assert.Nil(t, s.asked())

	c = start(t, s)
	require.NoError(t, c.SnapshotChunk(background, 1, 0, make([]byte, raftrpc.MaxChunk)), "the bound itself")
	_, err = c.Append(background, &raftrpc.AppendArgs{Entries: make([]raftrpc.Entry, raftrpc.MaxEntries)})
	require.NoError(t, err)
	_, err = c.Append(background, &raftrpc.AppendArgs{Entries: []raftrpc.Entry{{Payload: make([]byte, raftrpc.MaxPayload)}}})
	require.NoError(t, err)
}

// records are the calls as bytes.
func records(t testing.TB) [][]byte {
	all := make([][]byte, 7)
	for i := range all {
		all[i] = recordtest.Of(t, raftrpc.Program, func(c sunrpc.Caller) {
			calls(t, raftrpc.NewClient(c), func(err error) { require.Error(t, err) })[i]()
		})
	}
	return all
}

func TestACallThatIsCutShortIsGarbage(t *testing.T) {
	s := &scribe{}
	play := recordtest.Serve(t, raftrpc.Service(s))
	for i, record := range records(t) {
		assert.Equal(t, recordtest.Success, recordtest.Accepted(play(t, record)), "call %d as it is", i)
		s.note(nil)
		short := recordtest.Shorten(record, 4)
		assert.Equal(t, recordtest.GarbageArgs, recordtest.Accepted(play(t, short)), "call %d", i)
		assert.Nil(t, s.asked())
	}
}

// FuzzServer plays any bytes to a server: it lives, and what it is asked keeps the bounds.
func FuzzServer(f *testing.F) {
	s := &bounded{}
	play := recordtest.Serve(f, raftrpc.Service(s))
	recordtest.Seed(f, records(f))
	f.Fuzz(func(t *testing.T, stream []byte) {
		play(t, stream)
		assert.Zero(t, s.over.Load())
	})
}

// bounded counts what is over the bounds.
type bounded struct {
	scribe
	over atomic.Int32
}

func (b *bounded) Append(_ *sunrpc.Request, a *raftrpc.AppendArgs) (raftrpc.AppendResult, error) {
	over := len(a.ID) > raftrpc.MaxName || len(a.Addr) > raftrpc.MaxName || len(a.Entries) > raftrpc.MaxEntries
	for _, e := range a.Entries {
		over = over || len(e.Payload) > raftrpc.MaxPayload || len(e.Extensions) > raftrpc.MaxExtensions
	}
	if over {
		b.over.Add(1)
	}
	return raftrpc.AppendResult{}, nil
}
