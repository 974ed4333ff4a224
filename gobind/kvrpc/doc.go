// Package kvrpc is kv.x, a replicated key-value store as its clients see it, in Go types:
// a client and a server over [unpipc/gobind/sunrpc]. It knows the messages, and nothing of
// replication.
package kvrpc
