package raftrpc

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#cgo pkg-config: libtirpc
#include "unp_raft.h"
*/
import "C"

import (
	"runtime"

	_ "unpipc/capi"
	_ "unpipc/csrc/raft"
	"unpipc/gobind/internal/xdr"
	"unpipc/gobind/sunrpc"
)

// Program is raft.x, version 1.
var Program = sunrpc.Program{Number: C.RAFT_PROG, Version: C.RAFT_VERS}

// Bounds of what a call holds. What is longer cannot be sent (sunrpc.CantEncodeArgs), nor
// received (sunrpc.CantDecodeArgs).
const (
	MaxName          = C.RAFT_MAX_NAME    // bytes of an id, and of an address
	MaxPayload       = C.RAFT_MAX_PAYLOAD // bytes of an entry
	MaxExtensions    = C.RAFT_MAX_EXTENSIONS
	MaxEntries       = C.RAFT_MAX_ENTRIES // of a call
	MaxConfiguration = C.RAFT_MAX_CONFIGURATION
	MaxChunk         = C.RAFT_MAX_CHUNK // bytes of a snapshot in a call
)

// Refusal is the error of a server that could not do what was asked, in its words: 1,024
// bytes of them at most.
type Refusal string

func (r Refusal) Error() string { return string(r) }

// Header says who speaks.
type Header struct {
	Protocol int32 // its version
	ID, Addr []byte
}

// Entry is one of the log.
type Entry struct {
	Index, Term uint64
	Kind        uint32
	Payload     []byte
	Extensions  []byte
	Appended    int64 // nanoseconds since 1970 by the leader's clock; 0: not known
}

// AppendArgs are the entries behind one that both sides have; none is a heartbeat.
type AppendArgs struct {
	Header
	Term, PrevIndex, PrevTerm, Commit uint64
	Entries                           []Entry
}

type AppendResult struct {
	Header
	Term, LastIndex uint64
	Success         bool
	NoBackoff       bool // try again at once
}

type VoteArgs struct {
	Header
	Term, LastIndex, LastTerm uint64
	Transfer                  bool // the leader wants it; not of a pre-vote
}

type VoteResult struct {
	Header
	Term    uint64
	Granted bool
}

// SnapshotArgs open the stream of a snapshot.
type SnapshotArgs struct {
	Header
	Format                    int32 // the version of the snapshot's
	Term, LastIndex, LastTerm uint64
	Configuration             []byte
	ConfigurationIndex        uint64
	Size                      int64 // bytes
}

type SnapshotResult struct {
	Header
	Term    uint64
	Success bool
}

func lendHeader(to *C.raft_header, pin *runtime.Pinner, h *Header) {
	to.protocol = C.int(h.Protocol)
	xdr.Lend(&to.id, pin, h.ID)
	xdr.Lend(&to.addr, pin, h.Addr)
}

func giveHeader(to *C.raft_header, h *Header) {
	to.protocol = C.int(h.Protocol)
	xdr.Give(&to.id, h.ID)
	xdr.Give(&to.addr, h.Addr)
}

func headerOf(h *C.raft_header) Header {
	return Header{Protocol: int32(h.protocol), ID: xdr.Bytes(&h.id), Addr: xdr.Bytes(&h.addr)}
}

func refusalOf(why *C.raft_text) error {
	if text := xdr.Bytes(why); len(text) > 0 {
		return Refusal(text)
	}
	return nil
}

func boolT(b bool) C.bool_t {
	if b {
		return 1
	}
	return 0
}
