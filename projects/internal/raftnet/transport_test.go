package raftnet_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/raftrpc"
	"unpipc/projects/internal/raftnet"
)

var (
	header = raft.RPCHeader{ProtocolVersion: 3, ID: []byte("a"), Addr: []byte("localhost:9001")}
	reply  = raft.RPCHeader{ProtocolVersion: 3, ID: []byte("b"), Addr: []byte("localhost:9002")}
	slow   = raftnet.Options{Timeout: patience, Install: patience, Stall: patience}
)

// answerWith answers the next call, and returns what it is.
func answerWith(t *testing.T, p *post, response any, err error) <-chan any {
	asked := make(chan any, 1)
	go func() {
		rpc := taken(t, p)
		asked <- rpc.Command
		rpc.Respond(response, err)
	}()
	return asked
}

func TestVotesAndHandingOverArriveAndAreAnswered(t *testing.T) {
	from, to := newPost(t, slow), newPost(t, slow)
	target := raft.ServerAddress(to.addr)

	vote := raft.RequestVoteRequest{RPCHeader: header, Term: 2, LastLogIndex: 3, LastLogTerm: 1, LeadershipTransfer: true}
	voted := raft.RequestVoteResponse{RPCHeader: reply, Term: 2, Granted: true}
	asked := answerWith(t, to, &voted, nil)
	var gotVote raft.RequestVoteResponse
	require.NoError(t, from.RequestVote("b", target, &vote, &gotVote))
	assert.Equal(t, voted, gotVote)
	assert.Equal(t, &vote, <-asked)

	before := raft.RequestPreVoteRequest{RPCHeader: header, Term: 2, LastLogIndex: 3, LastLogTerm: 1}
	asked = answerWith(t, to, &raft.RequestPreVoteResponse{RPCHeader: reply, Term: 4}, nil)
	var gotBefore raft.RequestPreVoteResponse
	require.NoError(t, from.RequestPreVote("b", target, &before, &gotBefore))
	assert.Equal(t, raft.RequestPreVoteResponse{RPCHeader: reply, Term: 4}, gotBefore)
	assert.Equal(t, &before, <-asked)

	asked = answerWith(t, to, &raft.TimeoutNowResponse{RPCHeader: reply}, nil)
	var gotNow raft.TimeoutNowResponse
	require.NoError(t, from.TimeoutNow("b", target, &raft.TimeoutNowRequest{RPCHeader: header}, &gotNow))
	assert.Equal(t, raft.TimeoutNowResponse{RPCHeader: reply}, gotNow)
	assert.Equal(t, &raft.TimeoutNowRequest{RPCHeader: header}, <-asked)

	answerWith(t, to, nil, errors.New("no room"))
	err := from.RequestVote("b", target, &vote, &gotVote)
	assert.ErrorIs(t, err, raftrpc.Refusal("no room"))
	assert.ErrorContains(t, err, to.addr)
}

func TestEntriesThatOneCallCannotHoldGoInSeveral(t *testing.T) {
	from, to := newPost(t, slow), newPost(t, slow)
	when := time.Unix(1_700_000_000, 123)
	var logs []*raft.Log
	for i := range 5 {
		logs = append(logs, &raft.Log{
			Index: uint64(11 + i), Term: uint64(2 + i), Type: raft.LogCommand, AppendedAt: when,
			Data: bytes.Repeat([]byte{byte(i)}, raftrpc.MaxPayload), Extensions: []byte("x"),
		})
	}
	for i := range 2 * raftrpc.MaxEntries {
		logs = append(logs, &raft.Log{Index: uint64(16 + i), Term: 6, Type: raft.LogNoop})
	}
	var arrived []*raft.Log
	calls := 0
	all := make(chan struct{})
	go func() {
		defer close(all)
		last, lastTerm := uint64(10), uint64(1)
		for len(arrived) < len(logs) {
			rpc := taken(t, to)
			a := rpc.Command.(*raft.AppendEntriesRequest)
			calls++
			assert.Equal(t, last, a.PrevLogEntry)
			assert.Equal(t, lastTerm, a.PrevLogTerm)
			arrived = append(arrived, a.Entries...)
			last, lastTerm = arrived[len(arrived)-1].Index, arrived[len(arrived)-1].Term
			assert.Equal(t, min(last, 13), a.LeaderCommitIndex, "what is not said to be the leader's is not committed")
			rpc.Respond(&raft.AppendEntriesResponse{RPCHeader: reply, Term: 9, LastLog: last, Success: true}, nil)
		}
	}()
	args := raft.AppendEntriesRequest{
		RPCHeader: header, Term: 9, PrevLogEntry: 10, PrevLogTerm: 1, Entries: logs, LeaderCommitIndex: 13,
	}
	var got raft.AppendEntriesResponse
	require.NoError(t, from.AppendEntries("b", raft.ServerAddress(to.addr), &args, &got))
	<-all
	assert.Equal(t, raft.AppendEntriesResponse{RPCHeader: reply, Term: 9, LastLog: logs[len(logs)-1].Index, Success: true}, got)
	assert.Greater(t, calls, 3)
	require.Len(t, arrived, len(logs))
	for i := range logs {
		require.True(t, when.Equal(arrived[i].AppendedAt) || i >= 5 && arrived[i].AppendedAt.IsZero())
		arrived[i].AppendedAt, logs[i].AppendedAt = time.Time{}, time.Time{}
		require.Equal(t, logs[i], arrived[i])
	}
	assert.Equal(t, logs[len(logs)-1].Index, from.Match("b", 9))
	assert.Zero(t, from.Match("b", 8), "another term")
	assert.Zero(t, from.Match("c", 9), "another server")
}

func TestAHeartbeatIsAnsweredWhileTheLoopIsBusy(t *testing.T) {
	from, to := newPost(t, slow), newPost(t, slow)
	to.SetHeartbeatHandler(func(rpc raft.RPC) {
		rpc.Respond(&raft.AppendEntriesResponse{RPCHeader: reply, Term: rpc.Command.(*raft.AppendEntriesRequest).Term, Success: true}, nil)
	})
	target := raft.ServerAddress(to.addr)
	entries := make(chan error, 1)
	go func() {
		entries <- from.AppendEntries("b", target, &raft.AppendEntriesRequest{
			RPCHeader: header, Term: 2, Entries: []*raft.Log{{Index: 1, Term: 2}},
		}, new(raft.AppendEntriesResponse))
	}()
	busy := taken(t, to)
	var got raft.AppendEntriesResponse
	require.NoError(t, from.AppendEntries("b", target, &raft.AppendEntriesRequest{RPCHeader: header, Term: 2}, &got))
	assert.Equal(t, raft.AppendEntriesResponse{RPCHeader: reply, Term: 2, Success: true}, got)
	assert.Zero(t, from.Match("b", 2), "a heartbeat tells nothing of entries")
	busy.Respond(&raft.AppendEntriesResponse{Term: 2, LastLog: 1, Success: true}, nil)
	require.NoError(t, <-entries)
	assert.EqualValues(t, 1, from.Match("b", 2))
}

func TestALoopThatTakesNothingIsToldOfAsBusy(t *testing.T) {
	to := newPost(t, raftnet.Options{Timeout: time.Millisecond})
	from := newPost(t, slow)
	err := from.TimeoutNow("b", raft.ServerAddress(to.addr), &raft.TimeoutNowRequest{}, new(raft.TimeoutNowResponse))
	assert.ErrorIs(t, err, raftrpc.Refusal("the server is busy"))
}

func TestAPeerThatDoesNotAnswerIsGivenUp(t *testing.T) {
	to := newPost(t, slow)
	from := newPost(t, raftnet.Options{Timeout: 50 * time.Millisecond})
	err := from.TimeoutNow("b", raft.ServerAddress(to.addr), &raft.TimeoutNowRequest{}, new(raft.TimeoutNowResponse))
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestCallsEndWithTheTransport(t *testing.T) {
	from, to := newPost(t, slow), newPost(t, slow)
	made := make(chan error, 1)
	ask := func() {
		made <- from.TimeoutNow("b", raft.ServerAddress(to.addr), &raft.TimeoutNowRequest{}, new(raft.TimeoutNowResponse))
	}
	go ask()
	taken(t, to) // and never answered
	require.NoError(t, to.Close())
	assert.ErrorIs(t, <-made, raftrpc.Refusal("the server ends"))

	to = newPost(t, slow)
	go ask()
	taken(t, to)
	require.NoError(t, from.Close())
	assert.ErrorIs(t, <-made, context.Canceled)
	ask()
	assert.ErrorIs(t, <-made, raft.ErrTransportShutdown)
}

func TestNobodyIsWaitedForWhoCannotBeReached(t *testing.T) {
	from, to := newPost(t, slow), newPost(t, slow)
	peers := []raft.ServerID{"b", "c"}
	send := func(id raft.ServerID, addr string, term, index uint64) error {
		return from.AppendEntries(id, raft.ServerAddress(addr), &raft.AppendEntriesRequest{
			RPCHeader: header, Term: term, PrevLogEntry: index - 1, PrevLogTerm: 1, Entries: []*raft.Log{{Index: index, Term: term}},
		}, new(raft.AppendEntriesResponse))
	}
	answerWith(t, to, &raft.AppendEntriesResponse{Term: 2, Success: true}, nil)
	require.NoError(t, send("b", to.addr, 2, 7))
	counted := make(chan int, 1)
	go func() { counted <- from.Replicas(background, 2, 7, peers) }()
	assert.Error(t, send("c", vacant(t), 2, 7))
	assert.Equal(t, 1, <-counted, "c has failed")

	go func() { counted <- from.Replicas(background, 2, 7, peers) }()
	answerWith(t, to, &raft.AppendEntriesResponse{Term: 2, Success: true}, nil)
	require.NoError(t, send("c", to.addr, 2, 8))
	<-counted // 1, or 2 if it came to ask late
	assert.Equal(t, 2, from.Replicas(background, 2, 7, peers))

	ended, cancel := context.WithCancel(background)
	cancel()
	assert.Equal(t, 1, from.Replicas(ended, 2, 8, peers), "b has 7")
	assert.Zero(t, from.Replicas(background, 1, 7, peers), "a term that has passed")
}

func TestWhoWasWaitedForInVainIsNotWaitedForAgain(t *testing.T) {
	from, to := newPost(t, slow), newPost(t, slow)
	send := func(index uint64) {
		answerWith(t, to, &raft.AppendEntriesResponse{Term: 2, Success: true}, nil)
		require.NoError(t, from.AppendEntries("b", raft.ServerAddress(to.addr), &raft.AppendEntriesRequest{
			RPCHeader: header, Term: 2, PrevLogEntry: index - 1, PrevLogTerm: 1, Entries: []*raft.Log{{Index: index, Term: 2}},
		}, new(raft.AppendEntriesResponse)))
	}
	peers := []raft.ServerID{"b"}
	send(7)
	short, cancel := context.WithTimeout(background, time.Millisecond)
	defer cancel()
	assert.Zero(t, from.Replicas(short, 2, 9, peers))
	assert.Zero(t, from.Replicas(background, 2, 9, peers), "it is late")
	send(8)
	assert.Zero(t, from.Replicas(background, 2, 9, peers), "still")
	send(9)
	assert.Equal(t, 1, from.Replicas(background, 2, 9, peers))
	counted := make(chan int, 1)
	go func() { counted <- from.Replicas(background, 2, 10, peers) }()
	send(10)
	assert.Equal(t, 1, <-counted, "it has caught up, and is waited for again")
}

// An answer to an earlier call may have been in a socket for as long as the server slept.
func TestAnAnswerToAnEarlierCallProvesNothing(t *testing.T) {
	from, to := newPost(t, slow), newPost(t, slow)
	peers := []raft.ServerID{"b", "c"}
	call := func(term uint64) <-chan error {
		done := make(chan error, 1)
		go func() {
			done <- from.AppendEntries("b", raft.ServerAddress(to.addr), &raft.AppendEntriesRequest{RPCHeader: header, Term: term}, new(raft.AppendEntriesResponse))
		}()
		return done
	}
	heard := func(mark, term uint64, need int) bool {
		ended, cancel := context.WithCancel(background)
		cancel()
		return from.Heard(ended, mark, term, peers, need)
	}
	early := call(5)
	rpc := taken(t, to)
	mark := from.Mark()
	rpc.Respond(&raft.AppendEntriesResponse{Term: 5, Success: true}, nil)
	require.NoError(t, <-early)
	assert.False(t, heard(mark, 5, 1))
	assert.True(t, heard(mark, 5, 0), "who is alone asks nobody")

	late := call(5)
	rpc = taken(t, to)
	rpc.Respond(&raft.AppendEntriesResponse{Term: 5}, nil)
	require.NoError(t, <-late)
	assert.True(t, heard(mark, 5, 1), "entries may not fit, but it follows")
	assert.False(t, heard(mark, 5, 2))
	assert.False(t, heard(mark, 4, 1), "another term")
	assert.False(t, heard(from.Mark(), 5, 1), "a later read")

	mark = from.Mark()
	newer := call(5)
	rpc = taken(t, to)
	rpc.Respond(&raft.AppendEntriesResponse{Term: 6}, nil)
	require.NoError(t, <-newer)
	assert.False(t, heard(mark, 5, 1), "it knows of a newer term")
}
