package raftnet

import (
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/raft"

	"unpipc/gobind/raftrpc"
	"unpipc/gobind/sunrpc"
)

// Service is the server's side, for a [sunrpc.Server] whose MaxRecord is this package's.
func (t *Transport) Service() sunrpc.Service { return raftrpc.Service(service{t}) }

// service is what peers call.
type service struct{ t *Transport }

const (
	errClosed = raftrpc.Refusal("the server ends")
	errBusy   = raftrpc.Refusal("the server is busy")
)

// hand gives a call to raft's loop, which takes it when it has done what it does.
func (t *Transport) hand(r *sunrpc.Request, command any, snapshot io.Reader) (<-chan raft.RPCResponse, error) {
	answer := make(chan raft.RPCResponse, 1)
	patience := time.NewTimer(t.options.Timeout)
	defer patience.Stop()
	select {
	case t.consumer <- raft.RPC{Command: command, Reader: snapshot, RespChan: answer}:
		return answer, nil
	case <-patience.C:
		return nil, errBusy
	case <-t.life.Done():
	case <-r.Context().Done():
	}
	return nil, errClosed
}

// await waits for raft's answer, a *T.
func await[T any](t *Transport, r *sunrpc.Request, answer <-chan raft.RPCResponse) (T, error) {
	var none T
	select {
	case got := <-answer:
		if got.Error != nil {
			return none, raftrpc.Refusal(got.Error.Error())
		}
		if response, ok := got.Response.(*T); ok {
			return *response, nil
		}
		return none, raftrpc.Refusal(fmt.Sprintf("raft answers with %T", got.Response))
	case <-t.life.Done():
	case <-r.Context().Done():
	}
	return none, errClosed
}

// ask has raft's loop answer a call with a *T.
func ask[T any](t *Transport, r *sunrpc.Request, command any) (T, error) {
	answer, err := t.hand(r, command, nil)
	if err != nil {
		var none T
		return none, err
	}
	return await[T](t, r, answer)
}

func (s service) Append(r *sunrpc.Request, a *raftrpc.AppendArgs) (raftrpc.AppendResult, error) {
	s.t.abortBefore(a.Term)
	entries, err := entriesFrom(a.Entries)
	if err != nil {
		return raftrpc.AppendResult{}, err
	}
	command := &raft.AppendEntriesRequest{
		RPCHeader: headerFrom(a.Header), Term: a.Term,
		PrevLogEntry: a.PrevIndex, PrevLogTerm: a.PrevTerm, Entries: entries, LeaderCommitIndex: a.Commit,
	}
	s.t.mu.Lock()
	heartbeat := s.t.heartbeat
	s.t.mu.Unlock()
	var got raft.AppendEntriesResponse
	if heartbeat != nil && isHeartbeat(a) {
		answer := make(chan raft.RPCResponse, 1)
		heartbeat(raft.RPC{Command: command, RespChan: answer})
		got, err = await[raft.AppendEntriesResponse](s.t, r, answer)
	} else {
		got, err = ask[raft.AppendEntriesResponse](s.t, r, command)
	}
	return raftrpc.AppendResult{
		Header: headerTo(got.RPCHeader), Term: got.Term, LastIndex: got.LastLog,
		Success: got.Success, NoBackoff: got.NoRetryBackoff,
	}, err
}

func (s service) Vote(r *sunrpc.Request, a *raftrpc.VoteArgs) (raftrpc.VoteResult, error) {
	s.t.abortBefore(a.Term)
	got, err := ask[raft.RequestVoteResponse](s.t, r, &raft.RequestVoteRequest{
		RPCHeader: headerFrom(a.Header), Term: a.Term,
		LastLogIndex: a.LastIndex, LastLogTerm: a.LastTerm, LeadershipTransfer: a.Transfer,
	})
	return raftrpc.VoteResult{Header: headerTo(got.RPCHeader), Term: got.Term, Granted: got.Granted}, err
}

// PreVote does not end a term: nobody has begun the next one.
func (s service) PreVote(r *sunrpc.Request, a *raftrpc.VoteArgs) (raftrpc.VoteResult, error) {
	got, err := ask[raft.RequestPreVoteResponse](s.t, r, &raft.RequestPreVoteRequest{
		RPCHeader: headerFrom(a.Header), Term: a.Term, LastLogIndex: a.LastIndex, LastLogTerm: a.LastTerm,
	})
	return raftrpc.VoteResult{Header: headerTo(got.RPCHeader), Term: got.Term, Granted: got.Granted}, err
}

func (s service) TimeoutNow(r *sunrpc.Request, h raftrpc.Header) (raftrpc.Header, error) {
	got, err := ask[raft.TimeoutNowResponse](s.t, r, &raft.TimeoutNowRequest{RPCHeader: headerFrom(h)})
	return headerTo(got.RPCHeader), err
}
