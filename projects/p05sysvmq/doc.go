// Package p05sysvmq is a server whose clients all share one System V message queue:
// UNPv2 6.8, multiplexing messages by their type.
//
//	sysv_client 5001 ── type 1 ──►┌───────────────────────┐
//	sysv_client 5002 ── type 1 ──►│ 1 │ 5001 │ 1 │ 5002 │ │── type 1 ──► sysv_server
//	         ▲  ▲                 └───────────────────────┘                  │
//	         │  └── type 5002 ──────────────┘   ▲                            │
//	         └───── type 5001 ───────┘          └────── type = pid ──────────┘
//
// # The messages
//
// Behind the type, a C long, all fields are in the machine's own byte order:
//
//	request, type 1                        response, type = pid of the client
//	 0  4  magic     "SVQ1"                 0  8  nonce     the request's
//	 4  4  pid       of the client          8  8  deadline  the request's
//	 8  8  started   the client was        16  4  status    0: text is the answer;
//	16  8  nonce     random                                 else why there is none
//	24  8  deadline  it stops waiting      20     text
//	32     text
//
// started is field 22 of /proc/PID/stat: a pid is given again, a pid with a start time
// is not. deadline is CLOCK_MONOTONIC in nanoseconds, 0 if the client does not say; the
// server then takes a minute. The client with pid 1 gets its responses by type
// 0x7fffffff, as 1 is the type of requests.
//
// A response ("HELLO_PROCESSED" for "HELLO") is never longer than its request, so that
// it fits wherever that did.
//
// # Why nobody waits for ever
//
// The one queue carries both directions and can be full of either. Two rules suffice:
// the server never sleeps in msgsnd, and a client asks one thing at a time. [Server]
// takes every request at once; a response that finds no room stays in its memory.
// So requests cannot keep the queue full: each client has at most one, and the server
// takes it. Nor can responses: one whose client lives is received; one whose client is
// dead, or whose deadline has passed, or that was followed by a newer one for the same
// client, is taken out by the server when it lacks room, and else within a second.
//
// # Who owns the queue
//
// A queue outlives its server and does not say so: its last receiver's pid may long be
// another process's. The server therefore holds a lock on a file in /dev/shm, which is
// as private as the IPC namespace. The kernel drops the lock when the server dies,
// however it dies; the file stays and says whose queue that was.
//
// # Caveats
//
// Whoever may write the queue may send in any name, and whoever may read it may take
// any message: the mode is 0600, and processes of one user trust each other. Pids are
// names within one pid namespace, while a queue belongs to an IPC namespace: both must
// be shared. What a server has in hand when it is killed is lost; its clients give up
// after their timeout.
package p05sysvmq
