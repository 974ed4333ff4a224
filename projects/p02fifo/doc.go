// Package p02fifo is a calculator behind a FIFO: UNPv2 4.8, one server and many
// unrelated clients.
//
// The server reads requests from a well-known FIFO. As a FIFO goes one way and
// carries no sender's address, every client makes one of its own for the reply
// and says by its process id which:
//
//	calc_client 12345 ── "12345:5 + 3\n" ──►  /tmp/calc_server  ──► calc_server
//	            ▲                                                       │
//	            └──────────  /tmp/calc_client_12345  ◄── "8\n" ─────────┘
//
// A request is one write of at most PIPE_BUF bytes, which the kernel never mixes
// with another's. What else arrives (half a line, two requests in one, a pid that
// is nobody's) is refused, logged and forgotten: [Server] is one loop that waits
// only for the FIFO, never for a client.
//
// # Caveats
//
// A FIFO does not tell who wrote: a process of the same user can send a request
// in another's name, and that client gets an answer it did not ask for. The modes
// are 0600, so other users cannot. A pid is a name only within one pid namespace.
package p02fifo
