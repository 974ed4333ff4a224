package raftnet

import (
	"errors"
	"io"
	"time"

	"github.com/hashicorp/raft"

	"unpipc/gobind/raftrpc"
	"unpipc/gobind/sunrpc"
)

// stream is a snapshot that is being received. Its calls come one at a time, over its
// connection.
type stream struct {
	number, term uint64
	connection   <-chan struct{} // [sunrpc.Request.Closed]
	offset, size uint64
	pipe         *io.PipeWriter // to raft's loop
	answer       <-chan raft.RPCResponse
	stall        *time.Timer // aborts it
	done         chan struct{}
}

var (
	errAnother    = errors.New("another snapshot is sent")
	errConnection = errors.New("the connection of the snapshot has ended")
	errStall      = errors.New("no more of the snapshot comes")
	errTerm       = errors.New("the term of the snapshot has ended")
	errOrder      = errors.New("parts of the snapshot are missing, or come twice")
	errTooLong    = errors.New("the snapshot is longer than was said")
)

const errNoStream = raftrpc.Refusal("this snapshot is not being received")

// abort ends the stream, if there is one: raft's loop reads why.
func (t *Transport) abort(why error) { t.abortIf(why, func(*stream) bool { return true }) }

// abortBefore ends a stream of an earlier term.
func (t *Transport) abortBefore(term uint64) {
	t.abortIf(errTerm, func(s *stream) bool { return s.term < term })
}

func (t *Transport) abortIf(why error, condition func(*stream) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stream == nil || !condition(t.stream) {
		return
	}
	_ = t.stream.pipe.CloseWithError(why)
	t.remove(t.stream)
}

// remove forgets a stream; the mutex is held.
func (t *Transport) remove(s *stream) {
	if t.stream == s {
		t.stream = nil
		s.stall.Stop()
		close(s.done)
	}
}

func (s service) OpenSnapshot(r *sunrpc.Request, a *raftrpc.SnapshotArgs) (uint64, error) {
	t := s.t
	if a.Size < 0 {
		return 0, raftrpc.Refusal("a snapshot of negative size")
	}
	t.mu.Lock()
	newer := t.stream != nil && t.stream.term > a.Term
	t.mu.Unlock()
	if newer {
		return 0, raftrpc.Refusal(errTerm.Error())
	}
	t.abort(errAnother) // raft's loop reads it, and would not take this one
	reader, writer := io.Pipe()
	answer, err := t.hand(r, &raft.InstallSnapshotRequest{
		RPCHeader: headerFrom(a.Header), SnapshotVersion: raft.SnapshotVersion(a.Format),
		Term: a.Term, LastLogIndex: a.LastIndex, LastLogTerm: a.LastTerm,
		Configuration: a.Configuration, ConfigurationIndex: a.ConfigurationIndex, Size: a.Size,
	}, reader)
	if err != nil {
		return 0, err
	}
	opened := &stream{
		term: a.Term, connection: r.Closed(), size: uint64(a.Size),
		pipe: writer, answer: answer, done: make(chan struct{}),
	}
	mine := func(s *stream) bool { return s == opened }
	t.mu.Lock()
	defer t.mu.Unlock()
	t.streams++
	opened.number = t.streams
	if t.pools == nil {
		_ = writer.CloseWithError(raft.ErrTransportShutdown)
		return 0, errClosed
	}
	t.stream = opened // there is no other: raft's loop has taken this one
	opened.stall = time.AfterFunc(t.options.Stall, func() { t.abortIf(errStall, mine) })
	go func() {
		select {
		case <-opened.connection:
			t.abortIf(errConnection, mine)
		case <-opened.done:
		}
	}()
	return opened.number, nil
}

// receiving is the stream of a number, if it is that of the connection.
func (t *Transport) receiving(r *sunrpc.Request, number uint64) *stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.stream; s != nil && s.number == number && s.connection == r.Closed() {
		s.stall.Stop()
		return s
	}
	return nil
}

func (s service) SnapshotChunk(r *sunrpc.Request, number, offset uint64, bytes []byte) error {
	into := s.t.receiving(r, number)
	if into == nil {
		return errNoStream
	}
	var unsound error
	switch {
	case offset != into.offset:
		unsound = errOrder
	case uint64(len(bytes)) > into.size-into.offset:
		unsound = errTooLong
	}
	if unsound != nil {
		s.t.abortIf(unsound, func(s *stream) bool { return s == into })
		return raftrpc.Refusal(unsound.Error())
	}
	if _, err := into.pipe.Write(bytes); err != nil {
		return raftrpc.Refusal(err.Error())
	}
	into.offset += uint64(len(bytes))
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	if s.t.stream == into {
		into.stall.Reset(s.t.options.Stall)
	}
	return nil
}

func (s service) CloseSnapshot(r *sunrpc.Request, number uint64) (raftrpc.SnapshotResult, error) {
	closing := s.t.receiving(r, number)
	if closing == nil {
		return raftrpc.SnapshotResult{}, errNoStream
	}
	// First, for raft's loop may take another one as soon as this one is read.
	s.t.mu.Lock()
	s.t.remove(closing)
	s.t.mu.Unlock()
	_ = closing.pipe.Close()
	got, err := await[raft.InstallSnapshotResponse](s.t, r, closing.answer)
	return raftrpc.SnapshotResult{Header: headerTo(got.RPCHeader), Term: got.Term, Success: got.Success}, err
}
