// Package p10sempool is a pool of connections that processes share: pool_manager makes it,
// workers take a connection each, wait when there is none, and give it back.
//
// The pool is one POSIX shared memory object: a header, a counting semaphore, a robust
// mutex, and under the mutex a table of the workers and of the connections.
//
//	semaphore   says how many connections are free; who finds 0 sleeps in sem_clockwait
//	table       says who holds which, and is the truth
//
// Nothing depends on the semaphore being right. A worker that is killed between the
// two leaves it too low; the manager compares it with the table and posts what is missing.
// A token too many takes who has it to a table without a free connection: that worker
// waits again. So the count heals, and no connection is ever lent twice.
//
// # Who is alive
//
// A worker is known by its process id and the time its process was started. The manager
// opens a pidfd of each, checks the start time after that, and learns of the death from
// the pidfd at once. A new process with the same id is another one.
//
// # Lending
//
// With --connect the manager opens the connections, and a worker that has been given one
// by the table asks the manager for its descriptor, by a socket whose address is in the
// shared memory. What comes back is the same open socket. A connection is looked at before
// it is lent; one that is broken, or whose last holder died, is replaced.
//
// # Lock order
//
// There is one lock, the robust mutex. Under it nothing sleeps and nothing is printed.
package p10sempool
