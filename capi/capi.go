// Package capi is the contract between C and Go: the headers of the shims in
// csrc, which gobind calls. It holds no logic.
//
//	unp.h                conventions: results, time, memory, threads
//	unp_process.h        start a program
//	unp_pipe.h           PIPE_BUF of a pipe
//	unp_popen.h          glibc's popen and pclose
//	unp_interrupt.h      end a blocking call of another thread
//	unp_posixmq.h        POSIX message queues: open, notify, limits
//	unp_sysv.h           keys of System V objects
//	unp_sysvmq.h         System V message queues: state, limits
//	unp_sysvsem.h        System V semaphore sets: values, state, limits
//	unp_pthread.h        mutexes, conditions, rwlocks, barriers, spin locks
//	unp_pthread_fused.h  work under a mutex in one call
//	unp_pthread_owner.h  how objects that note their owner are made
//	unp_posixsem.h       POSIX semaphores, named and in memory
//	unp_posixshm.h       POSIX shared memory: open, allocate
//	unp_sysvshm.h        System V shared memory: state, limits
//	unp_sunrpc_server.h  Sun RPC: connections of a server, its procedures
//	unp_sunrpc_client.h  Sun RPC: handles of a client, its credentials
//	unp_rpcbind.h        questions to rpcbind
//	unp_calc.h           the dispatchers of calc.x
//	unp_raft.h           the dispatcher of raft.x
//	unp_kv.h             the dispatcher of kv.x, and a call
//	unp_keyserv.h        the dispatchers of keyserv.x
//	calc.h               calc.x as rpcgen writes it in C
//	raft.h               raft.x: servers of a replicated log
//	kv.h                 kv.x: a replicated key-value store
//	keyserv.h            keyserv.x: a key server
//
// Interface files of Sun RPC are here too. What rpcgen makes of them is checked in: the
// headers here, the C files in csrc. A test regenerates and compares.
//
// Both csrc and gobind import this package: cgo does not tell the build cache of
// headers outside a package's own folder, and the embedding below does.
package capi

import "embed"

//go:generate ./rpcgen.sh

// Headers are the .h files of this folder.
//
//go:embed *.h
var Headers embed.FS
