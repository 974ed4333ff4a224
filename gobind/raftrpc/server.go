package raftrpc

/*
#include "unp_raft.h"
*/
import "C"

import (
	"errors"
	"unsafe"

	"unpipc/gobind/internal/xdr"
	"unpipc/gobind/sunrpc"
)

// Server is what another server calls. Its methods are called on several goroutines. A
// [Refusal] that they return reaches the caller in its words; other errors refuse the call
// as those of [sunrpc.Service] do.
type Server interface {
	Append(*sunrpc.Request, *AppendArgs) (AppendResult, error)
	Vote(*sunrpc.Request, *VoteArgs) (VoteResult, error)
	PreVote(*sunrpc.Request, *VoteArgs) (VoteResult, error)
	OpenSnapshot(*sunrpc.Request, *SnapshotArgs) (stream uint64, err error)
	// SnapshotChunk may use bytes until it returns.
	SnapshotChunk(r *sunrpc.Request, stream, offset uint64, bytes []byte) error
	CloseSnapshot(r *sunrpc.Request, stream uint64) (SnapshotResult, error)
	TimeoutNow(*sunrpc.Request, Header) (Header, error)
}

// Service is the program. A record must hold what is sent in one call:
// [sunrpc.ServerOptions].MaxRecord.
func Service(s Server) sunrpc.Service {
	return sunrpc.Service{Program: Program, Dispatch: C.raft_prog_1,
		Call: func(r *sunrpc.Request, args, result unsafe.Pointer) error {
			switch r.Proc() {
			case C.RAFT_APPEND:
				return serveAppend(s, r, (*C.raft_append_args)(args), (*C.raft_append_result)(result))
			case C.RAFT_VOTE:
				return serveVote(s.Vote, r, (*C.raft_vote_args)(args), (*C.raft_vote_result)(result))
			case C.RAFT_PREVOTE:
				return serveVote(s.PreVote, r, (*C.raft_vote_args)(args), (*C.raft_vote_result)(result))
			case C.RAFT_SNAPSHOT_OPEN:
				return serveOpen(s, r, (*C.raft_snapshot_args)(args), (*C.raft_open_result)(result))
			case C.RAFT_SNAPSHOT_CHUNK:
				a := (*C.raft_chunk_args)(args)
				err := s.SnapshotChunk(r, uint64(a.stream), uint64(a.offset), xdr.Slice[byte](&a.bytes))
				return refuse(&(*C.raft_chunk_result)(result).why, err)
			case C.RAFT_SNAPSHOT_CLOSE:
				return serveClose(s, r, (*C.raft_close_args)(args), (*C.raft_close_result)(result))
			case C.RAFT_TIMEOUT_NOW:
				to := (*C.raft_timeout_result)(result)
				header, err := s.TimeoutNow(r, headerOf(&(*C.raft_timeout_args)(args).header))
				giveHeader(&to.header, &header)
				return refuse(&to.why, err)
			}
			return sunrpc.ProcedureUnavailable
		}}
}

func serveAppend(s Server, r *sunrpc.Request, args *C.raft_append_args, result *C.raft_append_result) error {
	a := AppendArgs{
		Header: headerOf(&args.header), Term: uint64(args.term),
		PrevIndex: uint64(args.prev_index), PrevTerm: uint64(args.prev_term), Commit: uint64(args.commit),
	}
	for _, e := range xdr.Slice[C.raft_entry](&args.entries) {
		a.Entries = append(a.Entries, Entry{
			Index: uint64(e.index), Term: uint64(e.term), Kind: uint32(e.kind),
			Payload: xdr.Bytes(&e.payload), Extensions: xdr.Bytes(&e.extensions), Appended: int64(e.appended_ns),
		})
	}
	got, err := s.Append(r, &a)
	giveHeader(&result.header, &got.Header)
	result.term, result.last_index = C.u_quad_t(got.Term), C.u_quad_t(got.LastIndex)
	result.success, result.no_backoff = boolT(got.Success), boolT(got.NoBackoff)
	return refuse(&result.why, err)
}

func serveVote(vote func(*sunrpc.Request, *VoteArgs) (VoteResult, error), r *sunrpc.Request,
	args *C.raft_vote_args, result *C.raft_vote_result,
) error {
	got, err := vote(r, &VoteArgs{
		Header: headerOf(&args.header), Term: uint64(args.term),
		LastIndex: uint64(args.last_index), LastTerm: uint64(args.last_term), Transfer: args.transfer != 0,
	})
	giveHeader(&result.header, &got.Header)
	result.term, result.granted = C.u_quad_t(got.Term), boolT(got.Granted)
	return refuse(&result.why, err)
}

func serveOpen(s Server, r *sunrpc.Request, args *C.raft_snapshot_args, result *C.raft_open_result) error {
	stream, err := s.OpenSnapshot(r, &SnapshotArgs{
		Header: headerOf(&args.header), Format: int32(args.format),
		Term: uint64(args.term), LastIndex: uint64(args.last_index), LastTerm: uint64(args.last_term),
		Configuration: xdr.Bytes(&args.configuration), ConfigurationIndex: uint64(args.configuration_index),
		Size: int64(args.size),
	})
	result.stream = C.u_quad_t(stream)
	return refuse(&result.why, err)
}

func serveClose(s Server, r *sunrpc.Request, args *C.raft_close_args, result *C.raft_close_result) error {
	got, err := s.CloseSnapshot(r, uint64(args.stream))
	giveHeader(&result.header, &got.Header)
	result.term, result.success = C.u_quad_t(got.Term), boolT(got.Success)
	return refuse(&result.why, err)
}

func refuse(why *C.raft_text, err error) error {
	var refusal Refusal
	if errors.As(err, &refusal) && refusal != "" {
		xdr.Give(why, []byte(refusal[:min(len(refusal), C.RAFT_MAX_TEXT)]))
		return nil
	}
	return err
}
