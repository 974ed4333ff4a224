package kvrpc

/*
#include <stdlib.h>
#include "unp_kv.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"unpipc/gobind/internal/xdr"
	"unpipc/gobind/sunrpc"
)

// Server is what clients call. Its methods are called on several goroutines. The keys and
// values that they are given are theirs until they return: what is kept has to be copied. A
// [Status] that they return is the result; other errors refuse the call as those of
// [sunrpc.Service] do. An answer must not be longer than the bounds of this package.
type Server interface {
	Put(r *sunrpc.Request, id WriteID, key, value []byte) (Written, error)
	Delete(r *sunrpc.Request, id WriteID, key []byte) (Written, error)
	CompareAndSwap(r *sunrpc.Request, id WriteID, key []byte, expected Value, value []byte) (Written, error)
	Get(r *sunrpc.Request, key []byte, how Read) (Found, error)
	List(r *sunrpc.Request, prefix, after []byte, how Read) (Listed, error)
	Watch(r *sunrpc.Request, prefix []byte, after uint64, wait time.Duration) (Watched, error)
	State(r *sunrpc.Request) (State, error)
	SetMember(r *sunrpc.Request, id, addr string, forwarded bool) error
}

// Service is the program. A record must hold the longest answer that the server gives:
// [sunrpc.ServerOptions].MaxRecord.
func Service(s Server) sunrpc.Service {
	return sunrpc.Service{Program: Program, Dispatch: C.kv_prog_1,
		Call: func(r *sunrpc.Request, args, result unsafe.Pointer) error {
			switch r.Proc() {
			case C.KV_PUT:
				a := (*C.kv_put_args)(args)
				w, err := s.Put(r, writeIDOf(&a.id), xdr.Slice[byte](&a.key), xdr.Slice[byte](&a.value))
				return giveWritten(result, w, err)
			case C.KV_DELETE:
				a := (*C.kv_delete_args)(args)
				w, err := s.Delete(r, writeIDOf(&a.id), xdr.Slice[byte](&a.key))
				return giveWritten(result, w, err)
			case C.KV_CAS:
				a := (*C.kv_cas_args)(args)
				w, err := s.CompareAndSwap(r, writeIDOf(&a.id), xdr.Slice[byte](&a.key), lentOf(a.expected), xdr.Slice[byte](&a.value))
				return giveWritten(result, w, err)
			case C.KV_GET:
				a := (*C.kv_get_args)(args)
				f, err := s.Get(r, xdr.Slice[byte](&a.key), Read{Local: a.local != 0, Forwarded: a.forwarded != 0})
				return giveFound((*C.kv_get_result)(result), f, err)
			case C.KV_LIST:
				a := (*C.kv_list_args)(args)
				l, err := s.List(r, xdr.Slice[byte](&a.prefix), xdr.Slice[byte](&a.after), Read{Local: a.local != 0, Forwarded: a.forwarded != 0})
				return giveListed((*C.kv_list_result)(result), l, err)
			case C.KV_WATCH:
				a := (*C.kv_watch_args)(args)
				w, err := s.Watch(r, xdr.Slice[byte](&a.prefix), uint64(a.after), time.Duration(a.wait_ms)*time.Millisecond)
				return giveWatched((*C.kv_watch_result)(result), w, err)
			case C.KV_STATUS:
				state, err := s.State(r)
				if err != nil {
					return err
				}
				return giveState((*C.kv_state)(result), &state)
			case C.KV_MEMBER:
				a := (*C.kv_member_args)(args)
				return status(&(*C.kv_member_result)(result).status,
					s.SetMember(r, C.GoString(a.id), C.GoString(a.addr), a.forwarded != 0))
			}
			return sunrpc.ProcedureUnavailable
		}}
}

// status sets the discriminant that goes with err, and returns what refuses the call.
func status(to *C.kv_status, err error) error {
	var s Status
	if errors.As(err, &s) && s != C.KV_OK {
		*to = C.kv_status(s)
		return nil
	}
	return err
}

func giveWritten(result unsafe.Pointer, w Written, err error) error {
	r := (*C.kv_write_result)(result)
	if err != nil {
		return status(&r.status, err)
	}
	*(*C.kv_written)(unsafe.Pointer(&r.kv_write_result_u)) = C.kv_written{
		revision: C.u_quad_t(w.Revision), replicas: C.u_int(w.Replicas), members: C.u_int(w.Members),
	}
	return nil
}

func giveFound(r *C.kv_get_result, f Found, err error) error {
	if err != nil {
		return status(&r.status, err)
	}
	to := (*C.kv_found)(unsafe.Pointer(&r.kv_get_result_u))
	xdr.Give(&to.value, f.Value)
	to.revision = C.u_quad_t(f.Revision)
	return nil
}

func giveListed(r *C.kv_list_result, l Listed, err error) error {
	if err != nil {
		return status(&r.status, err)
	}
	to := (*C.kv_listed)(unsafe.Pointer(&r.kv_list_result_u))
	to.more = boolT(l.More)
	keys := make([]C.kv_key, len(l.Keys))
	for i, key := range l.Keys {
		xdr.Give(&keys[i], key)
	}
	xdr.Give(&to.keys, keys)
	return nil
}

func giveWatched(r *C.kv_watch_result, w Watched, err error) error {
	if err != nil {
		return status(&r.status, err)
	}
	to := (*C.kv_watched)(unsafe.Pointer(&r.kv_watch_result_u))
	to.revision = C.u_quad_t(w.Revision)
	changes := make([]C.kv_change, len(w.Changes))
	for i, change := range w.Changes {
		c := &changes[i]
		xdr.Give(&c.key, change.Key)
		c.revision = C.u_quad_t(change.Revision)
		if change.Value.Present {
			c.value = xdr.New[C.kv_value]()
			xdr.Give(c.value, change.Value.Bytes)
		}
	}
	xdr.Give(&to.changes, changes)
	return nil
}

func giveState(to *C.kv_state, s *State) error {
	// xdr_free leaves a string alone that is over its bound.
	for _, m := range append([]Member{{ID: s.ID}, {ID: s.Role}, {ID: s.Leader}}, s.Members...) {
		if len(m.ID) > MaxName || len(m.Addr) > MaxName {
			return fmt.Errorf("%w: a name of more than %d bytes", sunrpc.SystemError, MaxName)
		}
	}
	to.id, to.role, to.leader = C.CString(s.ID), C.CString(s.Role), C.CString(s.Leader)
	to.term, to.last_index, to.commit_index = C.u_quad_t(s.Term), C.u_quad_t(s.LastIndex), C.u_quad_t(s.CommitIndex)
	to.applied_index, to.snapshot_index = C.u_quad_t(s.AppliedIndex), C.u_quad_t(s.SnapIndex)
	to.keys = C.u_quad_t(s.Keys)
	members := make([]C.kv_member, len(s.Members))
	for i, m := range s.Members {
		members[i] = C.kv_member{
			id: C.CString(m.ID), addr: C.CString(m.Addr), voter: boolT(m.Voter), match: C.u_quad_t(m.Match),
		}
	}
	xdr.Give(&to.members, members)
	return nil
}

func writeIDOf(id *C.kv_write_id) WriteID {
	return WriteID{
		Client:   *(*[C.KV_CLIENT_SIZE]byte)(unsafe.Pointer(&id.client)),
		Sequence: uint64(id.sequence), Forwarded: id.forwarded != 0,
	}
}

// lentOf is a value in the memory of v.
func lentOf(v C.kv_value_if_any) Value {
	if v == nil {
		return Value{}
	}
	return Value{Bytes: xdr.Slice[byte](v), Present: true}
}
