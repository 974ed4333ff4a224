package raftrpc_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
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

// scribe answers every call, with what the variables below say.
type scribe struct{ servetest.Scribe }

var (
	answer    = raftrpc.Header{Protocol: 3, ID: []byte("b"), Addr: []byte("localhost:9002")}
	appended  = raftrpc.AppendResult{Header: answer, Term: 1 << 40, LastIndex: 1<<63 + 7, Success: true, NoBackoff: true}
	voted     = raftrpc.VoteResult{Header: answer, Term: 8, Granted: true}
	preVoted  = raftrpc.VoteResult{Header: answer, Term: 9}
	opened    = uint64(1<<50 + 1)
	installed = raftrpc.SnapshotResult{Header: answer, Term: 10, Success: true}
)

func (s *scribe) Append(_ *sunrpc.Request, a *raftrpc.AppendArgs) (raftrpc.AppendResult, error) {
	return appended, s.Note(*a)
}

func (s *scribe) Vote(_ *sunrpc.Request, a *raftrpc.VoteArgs) (raftrpc.VoteResult, error) {
	return voted, s.Note(*a)
}

func (s *scribe) PreVote(_ *sunrpc.Request, a *raftrpc.VoteArgs) (raftrpc.VoteResult, error) {
	return preVoted, s.Note(*a)
}

func (s *scribe) OpenSnapshot(_ *sunrpc.Request, a *raftrpc.SnapshotArgs) (uint64, error) {
	return opened, s.Note(*a)
}

type chunk struct {
	stream, offset uint64
	bytes          string
}

func (s *scribe) SnapshotChunk(_ *sunrpc.Request, stream, offset uint64, b []byte) error {
	return s.Note(chunk{stream, offset, string(b)})
}

func (s *scribe) CloseSnapshot(_ *sunrpc.Request, stream uint64) (raftrpc.SnapshotResult, error) {
	return installed, s.Note(stream)
}

func (s *scribe) TimeoutNow(_ *sunrpc.Request, h raftrpc.Header) (raftrpc.Header, error) {
	return answer, s.Note(h)
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

var calls = []servetest.Call[*raftrpc.Client]{
	func(c *raftrpc.Client) ([]any, any, any, error) {
		got, err := c.Append(background, &appending)
		return []any{appending}, appended, got, err
	},
	func(c *raftrpc.Client) ([]any, any, any, error) {
		got, err := c.Vote(background, &voting)
		return []any{voting}, voted, got, err
	},
	func(c *raftrpc.Client) ([]any, any, any, error) {
		got, err := c.PreVote(background, &voting)
		return []any{voting}, preVoted, got, err
	},
	func(c *raftrpc.Client) ([]any, any, any, error) {
		got, err := c.OpenSnapshot(background, &opening)
		return []any{opening}, opened, got, err
	},
	func(c *raftrpc.Client) ([]any, any, any, error) {
		err := c.SnapshotChunk(background, 1<<50, 1<<34, []byte("bytes"))
		return []any{chunk{1 << 50, 1 << 34, "bytes"}}, nil, nil, err
	},
	func(c *raftrpc.Client) ([]any, any, any, error) {
		got, err := c.CloseSnapshot(background, 1<<50)
		return []any{uint64(1 << 50)}, installed, got, err
	},
	func(c *raftrpc.Client) ([]any, any, any, error) {
		got, err := c.TimeoutNow(background, &speaker)
		return []any{speaker}, answer, got, err
	},
}

func TestEveryCallArrivesAsItWasMadeAndIsAnswered(t *testing.T) {
	s := &scribe{}
	servetest.AssertAnswered(t, &s.Scribe, start(t, s), calls)
}

func TestARefusalComesBackInItsWords(t *testing.T) {
	s := &scribe{}
	long := strings.Repeat("x", 1024)
	servetest.AssertFail(t, &s.Scribe, func() *raftrpc.Client { return start(t, s) }, calls, map[error]error{
		raftrpc.Refusal("disk full"):          raftrpc.Refusal("disk full"),
		raftrpc.Refusal(long + "y"):           raftrpc.Refusal(long),
		errors.New("anything else"):           sunrpc.SystemError,
		sunrpc.AuthTooWeak:                    sunrpc.AuthTooWeak,
		sunrpc.ProcedureUnavailable:           sunrpc.ProcedureUnavailable,
		error(raftrpc.Refusal("")):            sunrpc.SystemError,
		errors.Join(raftrpc.Refusal("in it")): raftrpc.Refusal("in it"),
	})
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
	assert.Nil(t, s.Asked())

	c = start(t, s)
	require.NoError(t, c.SnapshotChunk(background, 1, 0, make([]byte, raftrpc.MaxChunk)), "the bound itself")
	_, err = c.Append(background, &raftrpc.AppendArgs{Entries: make([]raftrpc.Entry, raftrpc.MaxEntries)})
	require.NoError(t, err)
	_, err = c.Append(background, &raftrpc.AppendArgs{Entries: []raftrpc.Entry{{Payload: make([]byte, raftrpc.MaxPayload)}}})
	require.NoError(t, err)
}

func records(t testing.TB) [][]byte {
	return recordtest.All(t, raftrpc.Program, raftrpc.NewClient, calls)
}

func TestACallThatIsCutShortIsGarbage(t *testing.T) {
	s := &scribe{}
	recordtest.AssertGarbage(t, raftrpc.Service(s), &s.Scribe, records(t), recordtest.CutShort)
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
