package rpccost

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/kvrpc"
	"unpipc/gobind/sunrpc"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/measure/measuretest"
	"unpipc/projects/internal/message"
)

func TestMain(m *testing.M) {
	Role()
	os.Exit(ipctest.Main(m))
}

var languages = map[string]measure.Program{"Go": inGo, "C": inC}

func TestEveryNetworkCarriesVerifiedMessagesBetweenGoAndC(t *testing.T) {
	cfg := measuretest.Twin(t, "rpccost")
	for _, network := range Networks {
		for a, server := range languages {
			for b, client := range languages {
				t.Run(fmt.Sprintf("%s from %s to %s", network, b, a), func(t *testing.T) {
					for _, size := range []int{1, 15, 16, 64, 1000, maxDatagram, maxValue} {
						j := job{network: network, size: size, timed: size > 15}
						s, err := j.run(t.Context(), cfg, server, client, 50)
						if network == "udp" && size > maxDatagram {
							reason, skipped := measure.Skipped(err)
							require.True(t, skipped, "%v", err)
							assert.Contains(t, reason, "8192")
							continue
						}
						require.NoError(t, err, "%d bytes", size)
						assert.Equal(t, int64(50), s.Verified)
						assert.Positive(t, s.Elapsed)
						if !j.timed {
							assert.Nil(t, s.Times)
							continue
						}
						require.NotNil(t, s.Times)
						assert.Equal(t, int64(50), s.Times.TotalCount())
						assert.InEpsilon(t, float64(s.Elapsed)/50, s.Times.Mean(), 0.01)
					}
				})
			}
		}
	}
}

func TestAllRowsAreMeasuredInGoAndC(t *testing.T) {
	cfg := measuretest.Twin(t, "rpccost")
	cfg.Sizes = []int{64}
	rows := Rows(*cfg)
	require.Len(t, rows, 2*len(Networks))
	for _, r := range measuretest.Run(t, rows, cfg) {
		for _, v := range r.Variants {
			assert.Equal(t, r.LowerIsBetter, v.Times != nil, "%s in %s", r.Name, v.Name)
		}
	}
}

func TestValueOverTheBoundOfTheProtocolIsSaidToBeImpossible(t *testing.T) {
	cfg := measuretest.Twin(t, "rpccost")
	cfg.Sizes = []int{2 * maxValue}
	rows := Rows(*cfg)
	require.Len(t, rows, 2*len(Networks))
	res, err := measure.Run(t.Context(), rows, *cfg, nil)
	require.NoError(t, err)
	require.Len(t, res.Rows, len(rows))
	for _, r := range res.Rows {
		require.Empty(t, r.Failed, r.Name)
		assert.Contains(t, r.Skipped, "65536", r.Name)
	}
}

func TestPeerThatIsGoneIsAnErrorAtOnce(t *testing.T) {
	cfg := measuretest.Twin(t, "rpccost")
	j := job{network: "tcp", size: 64}
	for language, whole := range languages {
		_, err := j.run(t.Context(), cfg, measuretest.Script("exit 1"), whole, 10)
		require.ErrorContains(t, err, "the server has ended", language)
		_, err = j.run(t.Context(), cfg, whole, measuretest.Script("echo broken >&2; exit 1"), 10)
		require.ErrorContains(t, err, "broken", language)
		_, err = j.run(t.Context(), cfg, whole, measuretest.Script("echo done"), 10)
		require.ErrorContains(t, err, "ask: invalid character", language)
		// Nobody listens there.
		_, err = j.run(t.Context(), cfg, measuretest.Script("echo 127.0.0.1:1; exec sleep 1000"), whole, 10)
		require.Error(t, err, language)
	}
}

func TestServerThatSaysNothingIsEndedByTheWatchdog(t *testing.T) {
	reason := errors.New("no end")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, reason)
	defer cancel()
	_, err := (&job{network: "unix", size: 64}).run(ctx, measuretest.Twin(t, "rpccost"), measuretest.Script("exec sleep 1000"), inGo, 10)
	require.ErrorIs(t, err, reason)
}

func TestServerTakesOnlyTheRightMessageInItsTurn(t *testing.T) {
	filled := func(seq uint64) []byte {
		m := make([]byte, 32)
		message.Fill(m, seq)
		return m
	}
	for name, test := range map[string]struct {
		seq   uint64
		value []byte
		want  error
	}{
		"the next one is taken":                        {2, filled(2), nil},
		"one that comes again is answered again":       {1, filled(1), nil},
		"one that comes too early":                     {3, filled(3), kvrpc.Stale},
		"one with the number of another":               {2, filled(1), kvrpc.BadRequest},
		"one that is too short":                        {2, filled(2)[:31], kvrpc.BadRequest},
		"one of the warm-up with a byte that is wrong": {2, append(filled(2)[:16:16], append([]byte{^filled(2)[16]}, filled(2)[17:]...)...), kvrpc.BadRequest},
	} {
		s := &store{size: 32, warmup: 2, value: make([]byte, 32), filled: make([]byte, 32)}
		_, err := s.Put(nil, kvrpc.WriteID{Sequence: 1}, nil, filled(1))
		require.NoError(t, err)
		written, err := s.Put(nil, kvrpc.WriteID{Sequence: test.seq}, nil, test.value)
		assert.ErrorIs(t, err, test.want, name)
		if test.want != nil {
			continue
		}
		assert.Equal(t, test.seq, written.Revision, name)
		found, err := s.Get(nil, nil, kvrpc.Read{})
		require.NoError(t, err)
		assert.Equal(t, test.value, found.Value, name)
	}
}

func TestClientFindsAServerThatAnswersWrongly(t *testing.T) {
	for name, test := range map[string]struct {
		server *wrong
		want   string
	}{
		"another number":        {&wrong{number: 1}, "message 1: it was taken for 2"},
		"another value":         {&wrong{other: []byte("x")}, "does not have the last message"},
		"a status":              {&wrong{err: kvrpc.NoQuorum}, "message 1: no majority of servers answers"},
		"a refusal of the call": {&wrong{err: sunrpc.SystemError}, "message 1: "},
	} {
		test.server.size, test.server.value, test.server.filled = 16, make([]byte, 16), make([]byte, 16)
		s := sunrpc.NewServer(sunrpc.ServerOptions{Grace: time.Millisecond})
		s.Handle(kvrpc.Service(test.server))
		addr, err := s.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- s.Serve(ctx) }()
		r := role{network: "tcp", addr: addr.String(), size: 16, count: 5}
		_, err = r.ask(t.Context())
		stop()
		<-served
		assert.ErrorContains(t, err, test.want, name)
	}
}

// wrong is a server with one fault.
type wrong struct {
	store
	number uint64
	other  []byte
	err    error
}

func (w *wrong) Put(r *sunrpc.Request, id kvrpc.WriteID, key, value []byte) (kvrpc.Written, error) {
	written, err := w.store.Put(r, id, key, value)
	written.Revision += w.number
	return written, errors.Join(err, w.err)
}

func (w *wrong) Get(r *sunrpc.Request, key []byte, how kvrpc.Read) (kvrpc.Found, error) {
	found, err := w.store.Get(r, key, how)
	if w.other != nil {
		found.Value = w.other
	}
	return found, err
}

func TestRolesRefuseTheSameCommandLinesInGoAndC(t *testing.T) {
	measuretest.CommandLines{
		"help has an example":      {"--help", 0, "example:"},
		"nothing":                  {"", 2, "--role is"},
		"an unknown flag":          {"--nonsense", 2, "nonsense"},
		"an unknown role":          {"--role king --addr x", 2, "--role is"},
		"an unknown network":       {"--role ask --addr x --network drum", 2, "--network is"},
		"no address":               {"--role ask", 2, "--addr is needed"},
		"a size of nothing":        {"--role ask --addr x --size 0", 2, "--size"},
		"a size over kv.x's bound": {"--role ask --addr x --size 65537", 2, "--size"},
		"a count of nothing":       {"--role ask --addr x --count 0", 2, "--count"},
		"an argument too many":     {"--role ask --addr x more", 2, ""},
		"nobody at the address":    {"--role ask --network unix --addr /nowhere/x", 1, "/nowhere/x"},
		"a place that cannot be":   {"--role serve --network unix --addr /nowhere/x", 1, "/nowhere/x"},
		"another one's child":      {"--role serve --addr 127.0.0.1:0 --parent 4194304", 1, "^$"},
	}.Answered(t, measuretest.Twin(t, "rpccost"), languages)
}
