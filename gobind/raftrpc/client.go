package raftrpc

/*
#include "unp_raft.h"
*/
import "C"

import (
	"context"
	"runtime"
	"unsafe"

	"unpipc/gobind/internal/xdr"
	"unpipc/gobind/sunrpc"
)

// Client calls another server. Errors of its methods: a [Refusal]; those of
// [sunrpc.Client.Call].
type Client struct{ caller sunrpc.Caller }

// NewClient makes a client over connections that were dialled to [Program]. The calls of a
// snapshot must go over one connection.
func NewClient(c sunrpc.Caller) *Client { return &Client{c} }

// Append appends entries to the log.
func (c *Client) Append(ctx context.Context, a *AppendArgs) (AppendResult, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	args := C.raft_append_args{
		term: C.u_quad_t(a.Term), prev_index: C.u_quad_t(a.PrevIndex),
		prev_term: C.u_quad_t(a.PrevTerm), commit: C.u_quad_t(a.Commit),
	}
	lendHeader(&args.header, &pin, &a.Header)
	entries := make([]C.raft_entry, len(a.Entries))
	for i := range entries {
		to, e := &entries[i], &a.Entries[i]
		to.index, to.term, to.kind = C.u_quad_t(e.Index), C.u_quad_t(e.Term), C.u_int(e.Kind)
		to.appended_ns = C.quad_t(e.Appended)
		xdr.Lend(&to.payload, &pin, e.Payload)
		xdr.Lend(&to.extensions, &pin, e.Extensions)
	}
	xdr.Lend(&args.entries, &pin, entries)
	var result C.raft_append_result
	defer C.xdr_free(C.xdrproc_t(C.xdr_raft_append_result), unsafe.Pointer(&result))
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.raft_append_1(&args, &result, (*C.CLIENT)(h)))
	})
	if err == nil {
		err = refusalOf(&result.why)
	}
	return AppendResult{
		Header: headerOf(&result.header), Term: uint64(result.term), LastIndex: uint64(result.last_index),
		Success: result.success != 0, NoBackoff: result.no_backoff != 0,
	}, err
}

// Vote asks for a vote.
func (c *Client) Vote(ctx context.Context, a *VoteArgs) (VoteResult, error) {
	return c.vote(ctx, a, func(args *C.raft_vote_args, result *C.raft_vote_result, h *C.CLIENT) C.enum_clnt_stat {
		return C.raft_vote_1(args, result, h)
	})
}

// PreVote asks whether there would be a vote.
func (c *Client) PreVote(ctx context.Context, a *VoteArgs) (VoteResult, error) {
	return c.vote(ctx, a, func(args *C.raft_vote_args, result *C.raft_vote_result, h *C.CLIENT) C.enum_clnt_stat {
		return C.raft_prevote_1(args, result, h)
	})
}

func (c *Client) vote(ctx context.Context, a *VoteArgs,
	stub func(*C.raft_vote_args, *C.raft_vote_result, *C.CLIENT) C.enum_clnt_stat,
) (VoteResult, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	args := C.raft_vote_args{
		term: C.u_quad_t(a.Term), last_index: C.u_quad_t(a.LastIndex), last_term: C.u_quad_t(a.LastTerm),
		transfer: boolT(a.Transfer),
	}
	lendHeader(&args.header, &pin, &a.Header)
	var result C.raft_vote_result
	defer C.xdr_free(C.xdrproc_t(C.xdr_raft_vote_result), unsafe.Pointer(&result))
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(stub(&args, &result, (*C.CLIENT)(h)))
	})
	if err == nil {
		err = refusalOf(&result.why)
	}
	return VoteResult{Header: headerOf(&result.header), Term: uint64(result.term), Granted: result.granted != 0}, err
}

// OpenSnapshot begins the stream of a snapshot and returns its number.
func (c *Client) OpenSnapshot(ctx context.Context, a *SnapshotArgs) (uint64, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	args := C.raft_snapshot_args{
		format: C.int(a.Format),
		term:   C.u_quad_t(a.Term), last_index: C.u_quad_t(a.LastIndex), last_term: C.u_quad_t(a.LastTerm),
		configuration_index: C.u_quad_t(a.ConfigurationIndex), size: C.quad_t(a.Size),
	}
	lendHeader(&args.header, &pin, &a.Header)
	xdr.Lend(&args.configuration, &pin, a.Configuration)
	var result C.raft_open_result
	defer C.xdr_free(C.xdrproc_t(C.xdr_raft_open_result), unsafe.Pointer(&result))
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.raft_snapshot_open_1(&args, &result, (*C.CLIENT)(h)))
	})
	if err == nil {
		err = refusalOf(&result.why)
	}
	return uint64(result.stream), err
}

// SnapshotChunk sends the next bytes of a snapshot, the first of which is at offset.
func (c *Client) SnapshotChunk(ctx context.Context, stream, offset uint64, bytes []byte) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	args := C.raft_chunk_args{stream: C.u_quad_t(stream), offset: C.u_quad_t(offset)}
	xdr.Lend(&args.bytes, &pin, bytes)
	var result C.raft_chunk_result
	defer C.xdr_free(C.xdrproc_t(C.xdr_raft_chunk_result), unsafe.Pointer(&result))
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.raft_snapshot_chunk_1(&args, &result, (*C.CLIENT)(h)))
	})
	if err == nil {
		err = refusalOf(&result.why)
	}
	return err
}

// CloseSnapshot says that the snapshot is complete, and has it installed.
func (c *Client) CloseSnapshot(ctx context.Context, stream uint64) (SnapshotResult, error) {
	args := C.raft_close_args{stream: C.u_quad_t(stream)}
	var result C.raft_close_result
	defer C.xdr_free(C.xdrproc_t(C.xdr_raft_close_result), unsafe.Pointer(&result))
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.raft_snapshot_close_1(&args, &result, (*C.CLIENT)(h)))
	})
	if err == nil {
		err = refusalOf(&result.why)
	}
	return SnapshotResult{Header: headerOf(&result.header), Term: uint64(result.term), Success: result.success != 0}, err
}

// TimeoutNow has the server stand for election at once.
func (c *Client) TimeoutNow(ctx context.Context, header *Header) (Header, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	var args C.raft_timeout_args
	lendHeader(&args.header, &pin, header)
	var result C.raft_timeout_result
	defer C.xdr_free(C.xdrproc_t(C.xdr_raft_timeout_result), unsafe.Pointer(&result))
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.raft_timeout_now_1(&args, &result, (*C.CLIENT)(h)))
	})
	if err == nil {
		err = refusalOf(&result.why)
	}
	return headerOf(&result.header), err
}
