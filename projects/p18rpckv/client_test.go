package p18rpckv_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/kvrpc"
	"unpipc/gobind/sunrpc"
	"unpipc/projects/p18rpckv"
)

// oracle is a server that gives the answers that it was told, one after the other, the last
// one again and again. nil is done.
type oracle struct {
	kvrpc.Server
	addr string

	mu      sync.Mutex
	answers []error
	ids     []kvrpc.WriteID // that it was asked with
}

// errSilence has it answer never.
var errSilence = errors.New("silence")

func (o *oracle) answer(r *sunrpc.Request, id kvrpc.WriteID) error {
	o.mu.Lock()
	o.ids = append(o.ids, id)
	err := o.answers[0]
	if len(o.answers) > 1 {
		o.answers = o.answers[1:]
	}
	o.mu.Unlock()
	if err == errSilence {
		<-r.Context().Done()
		return sunrpc.ErrNoReply
	}
	return err
}

func (o *oracle) Put(r *sunrpc.Request, id kvrpc.WriteID, _, _ []byte) (kvrpc.Written, error) {
	return kvrpc.Written{Revision: 7, Replicas: 1, Members: 1}, o.answer(r, id)
}

func (o *oracle) Get(r *sunrpc.Request, _ []byte, _ kvrpc.Read) (kvrpc.Found, error) {
	return kvrpc.Found{Revision: 7}, o.answer(r, kvrpc.WriteID{})
}

func (o *oracle) SetMember(r *sunrpc.Request, _, _ string, _ bool) error {
	return o.answer(r, kvrpc.WriteID{})
}

func (o *oracle) asked() []kvrpc.WriteID {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.ids)
}

func startOracle(t *testing.T, answers ...error) *oracle {
	t.Helper()
	o := &oracle{answers: answers}
	server := sunrpc.NewServer(sunrpc.ServerOptions{Grace: time.Millisecond})
	server.Handle(kvrpc.Service(o))
	addr, err := server.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o.addr = addr.String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-done)
	})
	return o
}

func clientOf(t *testing.T, addrs ...string) *p18rpckv.Client {
	c := p18rpckv.NewClient(addrs)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestAWriteOfUnknownOutcomeIsSentAgainWithTheSameNumber(t *testing.T) {
	first, second := startOracle(t, kvrpc.Unknown), startOracle(t, kvrpc.Unknown, kvrpc.NoQuorum, nil)
	c := clientOf(t, first.addr, second.addr)
	w, err := c.Put(within(t, time.Minute), []byte("k"), nil)
	require.NoError(t, err)
	assert.EqualValues(t, 7, w.Revision)
	ids := append(first.asked(), second.asked()...)
	assert.Greater(t, len(ids), 3)
	assert.Len(t, slices.Compact(ids), 1)

	_, err = c.Put(within(t, time.Minute), []byte("k"), nil)
	require.NoError(t, err)
	later := second.asked()
	assert.Equal(t, ids[0].Client, later[len(later)-1].Client)
	assert.Greater(t, later[len(later)-1].Sequence, ids[0].Sequence)
}

func TestHowCallsEnd(t *testing.T) {
	nobody := vacant(t)
	put := func(c *p18rpckv.Client, ctx context.Context) error {
		_, err := c.Put(ctx, []byte("k"), nil)
		return err
	}
	get := func(c *p18rpckv.Client, ctx context.Context) error {
		_, err := c.Get(ctx, []byte("k"), kvrpc.Read{})
		return err
	}
	member := func(c *p18rpckv.Client, ctx context.Context) error { return c.SetMember(ctx, "4", "") }
	const soon, late = time.Second, time.Minute
	for name, this := range map[string]struct {
		call    func(*p18rpckv.Client, context.Context) error
		answers []error // of a server; none: nobody is there
		within  time.Duration
		want    error
	}{
		"what is refused is not asked elsewhere":                 {put, []error{kvrpc.Mismatch, nil}, late, kvrpc.Mismatch},
		"a read that finds nothing ends":                         {get, []error{kvrpc.NotFound, nil}, late, kvrpc.NotFound},
		"an election may be under way":                           {put, []error{kvrpc.NoQuorum, kvrpc.NoQuorum, nil}, late, nil},
		"without a majority nothing was done":                    {put, []error{kvrpc.NoQuorum}, soon, kvrpc.NoQuorum},
		"unknown stays unknown":                                  {put, []error{kvrpc.Unknown}, soon, p18rpckv.ErrUnknown},
		"that nothing is done now says nothing of earlier":       {put, []error{kvrpc.Unknown, kvrpc.NoQuorum}, soon, p18rpckv.ErrUnknown},
		"a write without an answer is unknown":                   {put, []error{errSilence}, soon, p18rpckv.ErrUnknown},
		"a read without an answer is not":                        {get, []error{errSilence}, soon, p18rpckv.ErrNoServer},
		"a write that nobody was there for is not":               {put, nil, soon, p18rpckv.ErrNoServer},
		"nobody is waited for for ever":                          {put, nil, late, p18rpckv.ErrNoServer},
		"a change of members that is so already may be our own":  {member, []error{kvrpc.Unknown, kvrpc.Conflict}, late, p18rpckv.ErrUnknown},
		"a change of members that is refused at once is refused": {member, []error{kvrpc.Conflict}, late, kvrpc.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			addr := nobody
			if this.answers != nil {
				addr = startOracle(t, this.answers...).addr
			}
			err := this.call(clientOf(t, addr), within(t, this.within))
			assert.ErrorIs(t, err, this.want)
			if this.want == p18rpckv.ErrNoServer || this.want == p18rpckv.ErrUnknown {
				var status kvrpc.Status
				assert.False(t, errors.As(err, &status) && this.want == p18rpckv.ErrNoServer)
			}
		})
	}
}

func TestTheServerThatAnswersIsAskedNextTime(t *testing.T) {
	dead, hung, right := vacant(t), startOracle(t, kvrpc.NoQuorum), startOracle(t, error(nil))
	c := clientOf(t, dead, hung.addr, right.addr)
	for range 3 {
		_, err := c.Get(within(t, time.Minute), []byte("k"), kvrpc.Read{})
		require.NoError(t, err)
	}
	assert.Len(t, hung.asked(), 1)
	assert.Len(t, right.asked(), 3)
}

func TestWhoHasNotAnsweredIsNamedWithTheReason(t *testing.T) {
	one, two := vacant(t), vacant(t)
	_, err := clientOf(t, one, two).Get(within(t, time.Second), []byte("k"), kvrpc.Read{})
	assert.EqualError(t, err, "no server answers: "+one+": connection refused; "+two+": connection refused")
	alone := startOracle(t, kvrpc.NoQuorum)
	_, err = clientOf(t, one, alone.addr).Get(within(t, time.Second), []byte("k"), kvrpc.Read{})
	assert.EqualError(t, err, "no majority of servers answers ("+one+": connection refused)")
}

func TestAddressesHaveOneForm(t *testing.T) {
	for text, want := range map[string]string{
		"localhost:9001": "localhost:9001", "127.0.0.1:9001": "localhost:9001", "[::1]:9001": "localhost:9001",
		"LocalHost:9001": "localhost:9001", "10.0.0.7:1": "10.0.0.7:1", "[fe80::1]:65535": "[fe80::1]:65535",
		"": "", "localhost": "", ":9001": "", "localhost:": "", "localhost:0": "", "localhost:65536": "", "localhost:http": "", "a:b:1": "",
	} {
		got, err := p18rpckv.Address(text)
		assert.Equal(t, want, got, text)
		assert.Equal(t, want == "", err != nil, text)
	}
}

// vacant is an address that nobody listens at.
func vacant(t *testing.T) string {
	t.Helper()
	return "localhost:" + strconv.Itoa(freePort(t))
}
