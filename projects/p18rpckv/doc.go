// Package p18rpckv is a replicated key-value store: three servers, of which any one may die,
// and clients that need not know which. UNPv2 chapter 16 (Sun RPC), and what the book's
// mechanisms are combined to.
//
//	kv_client ──kv.x──► any server ──kv.x, forwarded──► leader
//	                                                      │ raft.x: append
//	                                    follower ◄────────┴────────► follower
//	                                       │            │               │
//	                                    log, fsync   log, fsync      log, fsync
//	                                       ▼            ▼               ▼
//	                                    machine      machine         machine
//
// The parts: [unpipc/projects/p18rpckv/raftlog] keeps a log on the disk,
// [unpipc/projects/p18rpckv/machine] is what the log does to the keys,
// [unpipc/projects/p18rpckv/node] is a server of both, and this package is its client.
//
// # What is promised
//
// A write that was answered with OK is on the disks of a majority, and every read that
// begins later, at any server, sees it or a later one: the store is linearizable. A write
// that was not answered is sent again with the same client id and sequence number, and done
// once. A client that never gets an answer says that the outcome is unknown, which is not
// the same as that nothing was done.
package p18rpckv
