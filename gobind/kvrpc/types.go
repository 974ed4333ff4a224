package kvrpc

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#cgo pkg-config: libtirpc
#include "unp_kv.h"
*/
import "C"

import (
	"fmt"

	_ "unpipc/capi"
	_ "unpipc/csrc/kv"
	"unpipc/gobind/sunrpc"
)

// Program is kv.x, version 1.
var Program = sunrpc.Program{Number: C.KV_PROG, Version: C.KV_VERS}

// Bounds of what a call and its answer hold. What is longer cannot be sent
// (sunrpc.CantEncodeArgs), nor received (sunrpc.CantDecodeArgs).
const (
	MaxKey     = C.KV_MAX_KEY   // bytes
	MaxValue   = C.KV_MAX_VALUE // bytes
	MaxName    = C.KV_MAX_NAME  // bytes of an id, and of an address
	MaxKeys    = C.KV_MAX_KEYS  // of [Listed]
	MaxChanges = C.KV_MAX_CHANGES
	MaxMembers = C.KV_MAX_MEMBERS
)

// Status is why a call has no result. It is an error.
type Status int32

const (
	NotFound   Status = C.KV_NOT_FOUND
	Mismatch   Status = C.KV_MISMATCH  // cas: there is another value
	NoQuorum   Status = C.KV_NO_QUORUM // nothing was done: no majority of servers answers
	Unknown    Status = C.KV_UNKNOWN   // it may have been done, or be done yet
	Stale      Status = C.KV_STALE     // a sequence that the client has passed
	BadRequest Status = C.KV_BAD_REQUEST
	Compacted  Status = C.KV_COMPACTED // watch: changes since that revision are not kept any more
	Conflict   Status = C.KV_CONFLICT  // membership: another change is in progress, or it is so already
)

var statusText = map[Status]string{
	NotFound: "no such key", Mismatch: "another value is there", NoQuorum: "no majority of servers answers",
	Unknown: "outcome unknown", Stale: "sequence has passed", BadRequest: "bad request",
	Compacted: "changes are not kept so long", Conflict: "membership cannot be changed so",
}

func (s Status) Error() string {
	if text := statusText[s]; text != "" {
		return text
	}
	return fmt.Sprintf("key-value store status %d", int32(s))
}

// WriteID says which write it is. A write that is sent again with the same Client and
// Sequence is done once.
type WriteID struct {
	Client    [C.KV_CLIENT_SIZE]byte
	Sequence  uint64
	Forwarded bool // by a server: it must not be forwarded again
}

// Value is a value, or none.
type Value struct {
	Bytes   []byte
	Present bool
}

// Written is the result of a write.
type Written struct {
	Revision uint64 // rises with each write
	Replicas uint32 // servers that are known to have it
	Members  uint32 // servers that there are
}

// Found is the result of a read.
type Found struct {
	Value    []byte
	Revision uint64 // of the write that put it there
}

// Read says how a key, or a list of keys, is read.
type Read struct {
	Local     bool // what this server has, however old
	Forwarded bool
}

// Listed is a page of keys, in the order of their bytes.
type Listed struct {
	Keys [][]byte
	More bool // ask again, after the last one
}

// Change is a write that was done.
type Change struct {
	Key      []byte
	Value    Value // not present: it was deleted
	Revision uint64
}

// Watched is what was changed, and the revision to go on after.
type Watched struct {
	Changes  []Change
	Revision uint64
}

// Member is a server of the cluster.
type Member struct {
	ID, Addr string
	Voter    bool
	Match    uint64 // the last entry that it is known to have; of a leader
}

// State is what one server thinks.
type State struct {
	ID, Role, Leader                                string // Role: "leader", "follower", "candidate"
	Term                                            uint64
	LastIndex, CommitIndex, AppliedIndex, SnapIndex uint64
	Keys                                            uint64
	Members                                         []Member
}
