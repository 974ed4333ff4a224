// Package gobind holds the Go bindings, one package a mechanism. It has no code of
// its own: this page is their map, and the rules that all of them keep, with the
// reasons.
//
// # The map
//
// In the order of UNPv2 (Stevens, UNIX Network Programming, volume 2):
//
//	package   what it gives                                          UNPv2
//	process   fork, dup2, close, exec in one step; wait              1.5
//	pipe      pipes: reads, writes, capacity, vectors, splice        4.3
//	popen     glibc's own popen and pclose                           4.5
//	fifo      FIFOs: made with an exact mode, opened without traps   4.6
//	frame     messages over a byte stream, many in one write         4.10
//	posixmq   POSIX message queues                                   5
//	sysvmq    System V message queues                                6
//	pthread   mutexes, conditions, rwlocks, barriers, threads        7, 8
//	reclock   record locks: ranges of bytes of a file                9
//	posixsem  POSIX semaphores, named and in shared memory           10
//	sysvsem   System V semaphore sets                                11
//	mmap      mapped files; typed views of memory; faults as errors  12
//	posixshm  POSIX shared memory, memfd                             13
//	sysvshm   System V shared memory                                 14
//	futex     sleeping at a word in shared memory                    (futex(2))
//	yield     when a loop of calls is to let Go's scheduler have its turn
//	ordered   release stores to a word in shared memory, CPU hints   (C11, 7.17.3)
//	sunrpc    Sun RPC: clients, servers, rpcbind, authentication     16
//	calc      calc.x in Go types, over sunrpc                        16
//	raftrpc   raft.x: what servers of a replicated log say           16
//	kvrpc     kv.x: a replicated key-value store                     16
//	keyserv   keyserv.x: a key server                                16
//	unixsock  connected Unix domain sockets                          (volume 1, 15)
//	ipctest   for tests: names, isolation, roles, a check for leaks
//
// A binding calls the kernel or the C library as a C program would, and adds Go's
// types and errors, not policy. Whatever needs C goes through the headers of
// unpipc/capi and the shims of unpipc/csrc; everything else is a system call made
// from Go.
//
// # Threads
//
// A blocking call sleeps in the kernel on the thread of its goroutine, not in Go's
// poller. So one call is one read(2) with its atomicity, the other end sees a sleeper
// as it would see one written in C, and a wake-up takes no detour through the
// scheduler; the price is one thread for each call that sleeps. Where very many are to
// wait on descriptors that can be polled, package net or os is the better choice;
// package posixmq waits in the poller when it is given a context.
//
// A goroutine that does nothing but system calls should call runtime.Gosched every few
// milliseconds, as [unpipc/gobind/yield] tells. Once it has run for 10 ms without a break
// the runtime's monitor takes its P away in whatever call it finds it, every 20 µs or so,
// and getting it back costs more than the call.
//
// What the kernel or libc ties to a thread is tied to a goroutine by
// runtime.LockOSThread for as long as it lasts. A goroutine that ends while it is
// tied ends its thread.
//
// fork without exec is not offered. A forked child has only the thread that forked:
// the Go runtime's other threads, and with them garbage collection and scheduling,
// are gone, and locks that they held stay locked. So fork, the wiring of descriptors
// and exec are one C function that calls nothing but async-signal-safe functions. A
// role that needs a process of its own starts its program again.
//
// # Signals
//
// Three things that the Go runtime does are undone where they would show:
//
//   - It catches nearly every signal, with SA_RESTART. What [unpipc/gobind/process]
//     starts has the dispositions and the mask that this process itself was started
//     with, so that nohup, or a shell that ignores SIGPIPE, works through it.
//   - It raises the soft limit of open files. A started program gets the old one.
//   - It ends a process whose os.Stdout is a broken pipe. A write by these packages
//     returns EPIPE on every descriptor.
//
// A call that is interrupted (EINTR) is made again, with what is left of its time
// when it has a deadline; EINTR is never returned. This is not for rare cases: the
// runtime interrupts its own threads, and semop(2) and msgrcv(2) come back each time.
//
// One signal belongs to these packages: the real-time signal SIGRTMAX-1 (63). It may
// not be used for anything else.
//
// # Cancellation
//
// Every call that can block has a form that takes a context.Context. It returns
// context.Cause(ctx) soon after ctx ends, and then nothing was taken or given: no
// byte, message or child is lost, and half a write is reported. A call that had
// succeeded when the context ended has succeeded. The exceptions are pclose, the end of
// a thread, the wait at a barrier and the spin lock, which cannot be interrupted.
//
// How, where there is no poller in it: signal 63 is sent to the sleeping thread
// alone, with a handler that does nothing and is installed without SA_RESTART,
// until the call has returned. Neither a time-out (which would be polling) nor a
// second descriptor is needed, so it works for every sleep there is: open of a
// FIFO, wait, locks, System V queues and semaphores. Closing a descriptor under a
// sleeping call, as is done elsewhere, wakes nobody on Linux, and its number may
// come to name something else.
//
// # Errors
//
// An operation on a named object fails with *fs.PathError{Op, Path, Err}, one on an
// unnamed object with *os.SyscallError. Inside is the errno:
//
//	errors.Is(err, fs.ErrNotExist)
//	errors.Is(err, unix.EAGAIN)
//
// Each function lists the errnos its caller may have to tell apart. The end of a
// stream is io.EOF, the end of a context is its cause.
//
// # Memory
//
// C never keeps a Go pointer. Strings are checked for NUL bytes (EINVAL), because C
// would cut them there; copies for C are freed before the call returns. A file mode
// is set on the object itself where the umask has taken from it; the umask belongs to
// the whole process and is never changed.
package gobind
