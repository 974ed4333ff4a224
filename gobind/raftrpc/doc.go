// Package raftrpc is raft.x, what servers of a replicated log say to each other, in Go
// types: a client and a server over [unpipc/gobind/sunrpc]. It knows the messages, and
// nothing of what they are for.
//
// A payload is read in place while a call is made: it must not change until then.
package raftrpc
