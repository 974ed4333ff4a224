package kvrpc

/*
#include <stdlib.h>
#include "unp_kv.h"
*/
import "C"

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"unpipc/gobind/internal/xdr"
	"unpipc/gobind/sunrpc"
)

// Client calls a server. Errors of its methods: a [Status]; those of [sunrpc.Client.Call],
// after which nobody knows whether a write was done.
type Client struct {
	caller sunrpc.Caller
	put    atomic.Pointer[put] // for the next call; nil: it is used
}

// NewClient makes a client over connections that were dialled to [Program].
func NewClient(c sunrpc.Caller) *Client { return &Client{caller: c} }

// put is what a call of KV_PUT has in memory of its own. That call is made most, and what
// it needs is kept for the next one.
type put struct {
	id         C.kv_write_id
	key, value []byte
	result     C.kv_write_result
	stub       func(sunrpc.Handle) sunrpc.Status // call
}

// call gives C the handle, which is no memory of Go's, as a number: a pointer would be looked up.
func (p *put) call(h sunrpc.Handle) sunrpc.Status {
	return sunrpc.Status(C.unp_kv_put(C.uintptr_t(uintptr(h)), p.id, charsOf(p.key), C.u_int(len(p.key)),
		charsOf(p.value), C.u_int(len(p.value)), &p.result))
}

// Put puts a value at a key.
func (c *Client) Put(ctx context.Context, id WriteID, key, value []byte) (Written, error) {
	p := c.put.Swap(nil)
	if p == nil {
		p = new(put)
		p.stub = p.call
	}
	p.id, p.key, p.value, p.result = writeID(id), key, value, C.kv_write_result{}
	w, err := writtenOf(&p.result, c.caller.Call(ctx, p.stub))
	p.key, p.value = nil, nil // the caller's
	c.put.Store(p)
	return w, err
}

func charsOf(s []byte) *C.char { return (*C.char)(unsafe.Pointer(unsafe.SliceData(s))) }

// Delete takes a key out: [NotFound].
func (c *Client) Delete(ctx context.Context, id WriteID, key []byte) (Written, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	args := C.kv_delete_args{id: writeID(id)}
	xdr.Lend(&args.key, &pin, key)
	var result C.kv_write_result
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.kv_delete_1(&args, &result, (*C.CLIENT)(h)))
	})
	return writtenOf(&result, err)
}

// CompareAndSwap puts a value at a key where another one is, or none: [Mismatch].
func (c *Client) CompareAndSwap(ctx context.Context, id WriteID, key []byte, expected Value, value []byte) (Written, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	args := C.kv_cas_args{id: writeID(id)}
	xdr.Lend(&args.key, &pin, key)
	xdr.Lend(&args.value, &pin, value)
	if expected.Present {
		there := new(C.kv_value)
		pin.Pin(there)
		xdr.Lend(there, &pin, expected.Bytes)
		args.expected = there
	}
	var result C.kv_write_result
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.kv_cas_1(&args, &result, (*C.CLIENT)(h)))
	})
	return writtenOf(&result, err)
}

func writtenOf(r *C.kv_write_result, err error) (Written, error) {
	if err = judge(err, r.status); err != nil {
		return Written{}, err
	}
	w := (*C.kv_written)(unsafe.Pointer(&r.kv_write_result_u))
	return Written{Revision: uint64(w.revision), Replicas: uint32(w.replicas), Members: uint32(w.members)}, nil
}

// Get reads a key: [NotFound].
func (c *Client) Get(ctx context.Context, key []byte, how Read) (Found, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	args := C.kv_get_args{local: boolT(how.Local), forwarded: boolT(how.Forwarded)}
	xdr.Lend(&args.key, &pin, key)
	var result C.kv_get_result
	defer C.xdr_free(C.xdrproc_t(C.xdr_kv_get_result), unsafe.Pointer(&result))
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.kv_get_1(&args, &result, (*C.CLIENT)(h)))
	})
	if err = judge(err, result.status); err != nil {
		return Found{}, err
	}
	f := (*C.kv_found)(unsafe.Pointer(&result.kv_get_result_u))
	return Found{Value: xdr.Bytes(&f.value), Revision: uint64(f.revision)}, nil
}

// List reads the keys that begin with prefix and come after another, [MaxKeys] at most.
func (c *Client) List(ctx context.Context, prefix, after []byte, how Read) (Listed, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	args := C.kv_list_args{local: boolT(how.Local), forwarded: boolT(how.Forwarded)}
	xdr.Lend(&args.prefix, &pin, prefix)
	xdr.Lend(&args.after, &pin, after)
	var result C.kv_list_result
	defer C.xdr_free(C.xdrproc_t(C.xdr_kv_list_result), unsafe.Pointer(&result))
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.kv_list_1(&args, &result, (*C.CLIENT)(h)))
	})
	if err = judge(err, result.status); err != nil {
		return Listed{}, err
	}
	l := (*C.kv_listed)(unsafe.Pointer(&result.kv_list_result_u))
	listed := Listed{More: l.more != 0}
	for _, key := range xdr.Slice[C.kv_key](&l.keys) {
		listed.Keys = append(listed.Keys, xdr.Bytes(&key))
	}
	return listed, nil
}

// Watch waits for a change, after a revision, of a key that begins with prefix; without
// one it returns after the time wait (whole milliseconds). [Compacted] after a revision
// that is too old.
func (c *Client) Watch(ctx context.Context, prefix []byte, after uint64, wait time.Duration) (Watched, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	args := C.kv_watch_args{after: C.u_quad_t(after), wait_ms: C.u_int(wait.Milliseconds())}
	xdr.Lend(&args.prefix, &pin, prefix)
	var result C.kv_watch_result
	defer C.xdr_free(C.xdrproc_t(C.xdr_kv_watch_result), unsafe.Pointer(&result))
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.kv_watch_1(&args, &result, (*C.CLIENT)(h)))
	})
	if err = judge(err, result.status); err != nil {
		return Watched{}, err
	}
	w := (*C.kv_watched)(unsafe.Pointer(&result.kv_watch_result_u))
	watched := Watched{Revision: uint64(w.revision)}
	for _, change := range xdr.Slice[C.kv_change](&w.changes) {
		watched.Changes = append(watched.Changes, Change{
			Key: xdr.Bytes(&change.key), Value: valueOf(change.value), Revision: uint64(change.revision),
		})
	}
	return watched, nil
}

// State asks the server what it thinks.
func (c *Client) State(ctx context.Context) (State, error) {
	var result C.kv_state
	defer C.xdr_free(C.xdrproc_t(C.xdr_kv_state), unsafe.Pointer(&result))
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.kv_status_1(nil, &result, (*C.CLIENT)(h)))
	})
	if err != nil {
		return State{}, err
	}
	state := State{
		ID: C.GoString(result.id), Role: C.GoString(result.role), Leader: C.GoString(result.leader),
		Term: uint64(result.term), LastIndex: uint64(result.last_index), CommitIndex: uint64(result.commit_index),
		AppliedIndex: uint64(result.applied_index), SnapIndex: uint64(result.snapshot_index), Keys: uint64(result.keys),
	}
	for _, m := range xdr.Slice[C.kv_member](&result.members) {
		state.Members = append(state.Members, Member{
			ID: C.GoString(m.id), Addr: C.GoString(m.addr), Voter: m.voter != 0, Match: uint64(m.match),
		})
	}
	return state, nil
}

// SetMember adds a server to the cluster, or takes it out where addr is "": [Conflict].
func (c *Client) SetMember(ctx context.Context, id, addr string, forwarded bool) error {
	args := C.kv_member_args{id: C.CString(id), addr: C.CString(addr), forwarded: boolT(forwarded)}
	// Not by xdr_free, which leaves a string alone that is over its bound.
	defer C.free(unsafe.Pointer(args.id))
	defer C.free(unsafe.Pointer(args.addr))
	var result C.kv_member_result
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.kv_member_1(&args, &result, (*C.CLIENT)(h)))
	})
	return judge(err, result.status)
}

func judge(err error, status C.kv_status) error {
	if err == nil && status != C.KV_OK {
		return Status(status)
	}
	return err
}

func writeID(id WriteID) C.kv_write_id {
	return C.kv_write_id{
		client:   *(*[C.KV_CLIENT_SIZE]C.char)(unsafe.Pointer(&id.Client)),
		sequence: C.u_quad_t(id.Sequence), forwarded: boolT(id.Forwarded),
	}
}

func valueOf(v C.kv_value_if_any) Value {
	if v == nil {
		return Value{}
	}
	return Value{Bytes: xdr.Bytes(v), Present: true}
}

func boolT(b bool) C.bool_t {
	if b {
		return 1
	}
	return 0
}
