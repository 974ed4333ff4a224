// Package raftnet carries the messages of github.com/hashicorp/raft between servers by Sun
// RPC: it is a raft.Transport over raft.x, whose server side is a [sunrpc.Service] beside
// others of one server.
//
// # Connections
//
// To each peer there is a pool of connections, so that a heartbeat overtakes entries that
// wait for a disk. A heartbeat is answered on the thread of its connection; everything else
// is handed to raft's one loop and waits for it. Calls are not pipelined: a connection makes
// one at a time. While one is under way entries gather, and the next one carries them all.
//
// # Snapshots
//
// A snapshot has a connection of its own. raft's loop reads it and does nothing else
// meanwhile, so a stream must not stay open behind a sender that is gone: it is aborted when
// its connection ends, when nothing has come for a while, when another one is opened, and
// when a call comes from a newer term.
//
// # Caveats
//
// Nobody proves who they are: whoever reaches the port is taken for a peer.
package raftnet
