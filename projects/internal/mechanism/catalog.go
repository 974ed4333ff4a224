// Package mechanism is what is known of each IPC mechanism: by its nature, in a table
// that recommends one for a need, and by measurement, in sentences with the figures of a
// run.
package mechanism

import "slices"

// Mechanism is a way to do something, and what can be said of it.
type Mechanism struct {
	ID       string
	Name     string
	For      []string // purposes
	Between  []string // who can use it
	Package  string   // below unpipc/gobind; "" where the standard library has it
	Exercise string   // as "ipc_suite run" takes it
	Rows     []string // of the benchmark, the most telling one first

	Messages    bool   // keeps boundaries
	Priority    bool   // an urgent message overtakes
	Keep        string // how long what is in it lasts: open, system, disk
	Most        int    // bytes of one message on a system as it is installed; 0: no limit
	Shared      int    // bytes up to which messages of several writers do not mix; 0: no limit
	User        bool   // no call of the kernel while nobody has to wait
	Crash       string // what a killed one does to the others: any, survive, notice
	Writers     string // one, many
	Readers     []string
	Poll        bool
	Descriptors bool

	Why   string // what speaks for it
	Watch string // what to look out for
}

// Sizes on a system as it is installed.
const (
	pipeBuf    = 4096      // PIPE_BUF: pipe(7)
	mqMessage  = 8192      // fs.mqueue.msgsize_max: mq_overview(7)
	sysvText   = 8192      // kernel.msgmax: sysvipc(7)
	packetSize = 200 << 10 // what net.core.wmem_max, 212992, leaves for one packet: socket(7)
	numberSize = 8         // of the lock-free queue
)

var (
	local  = []string{"related", "unrelated"}
	here   = []string{"related", "unrelated", "threads"}
	anyone = []string{"one", "all"}
)

// Catalog is every mechanism, for each purpose the simplest first: a need gets the first
// one that meets it.
var Catalog = []Mechanism{
	{ID: "pipe", Name: "pipe", For: []string{Transfer}, Between: []string{"related", "threads"}, Package: "pipe", Exercise: "1",
		Rows: []string{"bw_pipe", "lat_pipe"}, Keep: "open", Shared: pipeBuf, Crash: "notice", Writers: "many", Readers: []string{"one"}, Poll: true,
		Why:   "it needs no name and leaves nothing behind, and its end says when the other side is gone",
		Watch: "every process must close the ends it does not use, or end of file never comes; writing to nobody is SIGPIPE; writes of several mix beyond PIPE_BUF"},
	{ID: "fifo", Name: "FIFO", For: []string{Transfer}, Between: here, Package: "fifo", Exercise: "2",
		Rows: []string{"bw_fifo", "lat_fifo"}, Keep: "open", Shared: pipeBuf, Crash: "notice", Writers: "many", Readers: []string{"one"}, Poll: true,
		Why:   "a pipe with a name: whoever knows the path and has the permission can open it, a shell too",
		Watch: "open waits for the other side; the name stays, what was in it does not; a server keeps a writing end of its own so that it never reads end of file"},
	{ID: "unix_stream", Name: "Unix domain stream socket", For: []string{Transfer, Call}, Between: here, Package: "unixsock", Exercise: "lecture-15",
		Rows: []string{"bw_unix_stream", "lat_unix_stream"}, Keep: "open", Crash: "notice", Writers: "many", Readers: []string{"one"}, Poll: true, Descriptors: true,
		Why:   "both directions, a connection for each client, the peer's identity from the kernel, and its end is seen at once",
		Watch: "no boundaries: frame the messages; the socket's name stays in the file system after a crash"},
	{ID: "unix_dgram", Name: "Unix domain datagram socket", For: []string{Transfer}, Between: here, Package: "", Exercise: "lecture-14",
		Rows: []string{"bw_unix_dgram", "lat_unix_dgram"}, Messages: true, Keep: "open", Most: packetSize, Crash: "survive", Writers: "many", Readers: []string{"one"},
		Poll: true, Descriptors: true,
		Why:   "one socket takes whole messages of any number of senders, in order and without loss, as this is no network",
		Watch: "the receiver does not see that a sender is gone; a full receiver makes senders wait; one message is bound by net.core.wmem_max"},
	{ID: "unix_seqpacket", Name: "Unix domain seqpacket socket", For: []string{Transfer, Call}, Between: here, Package: "unixsock", Exercise: "6",
		Rows: []string{"bw_unix_seqpacket", "lat_unix_seqpacket"}, Messages: true, Keep: "open", Most: packetSize, Crash: "notice", Writers: "many",
		Readers: []string{"one"}, Poll: true, Descriptors: true,
		Why:   "whole messages on a connection that says when the other side is gone",
		Watch: "what does not fit into the reader's buffer is cut off; one message is bound by net.core.wmem_max"},
	{ID: "posix_mq", Name: "POSIX message queue", For: []string{Transfer}, Between: here, Package: "posixmq", Exercise: "4",
		Rows: []string{"bw_posix_mq", "lat_posix_mq"}, Messages: true, Priority: true, Keep: "system", Most: mqMessage, Crash: "survive", Writers: "many",
		Readers: []string{"one", "share"}, Poll: true,
		Why:   "whole messages by priority, kept while no process has it open, behind a descriptor that can be polled",
		Watch: "ten messages of 8 KiB are what a system allows as installed; a message that its receiver took and did not finish is gone with it; only mq_unlink removes it"},
	{ID: "sysv_mq", Name: "System V message queue", For: []string{Transfer, Call}, Between: here, Package: "sysvmq", Exercise: "5",
		Rows: []string{"bw_sysv_mq", "lat_sysv_mq"}, Messages: true, Priority: true, Keep: "system", Most: sysvText, Crash: "survive", Writers: "many",
		Readers: []string{"one", "share"},
		Why:     "receivers choose by type: one queue carries requests and everybody's answers",
		Watch:   "it is no descriptor and cannot be polled; keys of ftok collide; who does not take his answers fills it for all; only msgctl removes it"},
	{ID: "tcp", Name: "TCP", For: []string{Transfer, Call}, Between: append(slices.Clone(local), "machines"), Exercise: "16",
		Rows: []string{"bw_tcp", "lat_tcp"}, Keep: "open", Crash: "notice", Writers: "many", Readers: []string{"one"}, Poll: true,
		Why:   "it works the same on one machine and between two",
		Watch: "no boundaries; whoever reaches the port can connect; a machine that vanishes is noticed by keep-alive only"},
	{ID: "rpc", Name: "Sun RPC over TCP", For: []string{Transfer, Call}, Between: append(slices.Clone(local), "machines"), Package: "sunrpc", Exercise: "16",
		Rows: []string{"bw_rpc_tcp", "lat_rpc_tcp"}, Messages: true, Keep: "open", Crash: "notice", Writers: "many", Readers: []string{"one"},
		Why:   "types, versions and an interface file from which the marshalling is generated; each message is a call of its own",
		Watch: "after a lost connection nobody knows whether the call was done: make calls idempotent; AUTH_SYS proves nothing (exercise 17)"},
	{ID: "spsc", Name: "lock-free queue", For: []string{Transfer}, Between: here, Package: "posixshm", Exercise: "15",
		Rows: []string{"spsc_item", "lat_spsc_push"}, Messages: true, Keep: "open", Most: numberSize, User: true, Crash: "notice", Writers: "one", Readers: []string{"one"},
		Why:   "numbers of eight bytes through two counters, without a lock",
		Watch: "one writer and one reader, items of one size; the order of the stores is everything"},
	{ID: "shm_ring", Name: "ring in shared memory", For: []string{Transfer, Call}, Between: here, Package: "posixshm", Exercise: "12",
		Rows: []string{"bw_ring", "lat_ring"}, Messages: true, Keep: "open", User: true, Crash: "notice", Writers: "one", Readers: []string{"one"},
		Why:   "no call of the kernel while both sides run, and messages can be written and read in place",
		Watch: "one writer and one reader; a message is less than half of the ring; the peer can write anything, so every index is checked; a sleeper looks for a dead peer ten times a second; a ring each way for calls"},
	{ID: "bounded_buffer", Name: "bounded buffer with mutex and condition variables", For: []string{Transfer}, Between: here, Package: "pthread", Exercise: "7",
		Rows: []string{"prodcons_processes", "prodcons_threads"}, Messages: true, Keep: "open", User: true, Crash: "any", Writers: "many", Readers: []string{"one", "share"},
		Why:   "any number of producers and consumers, and no call of the kernel while there are items and room",
		Watch: "a process killed inside pthread_cond_wait or pthread_cond_signal can leave the condition variable unusable, also with a robust mutex"},

	{ID: "memory_mutex", Name: "shared memory with a robust mutex", For: []string{State}, Between: here, Package: "posixshm, pthread", Exercise: "10",
		Rows: []string{"call_mutex_robust", "incr_mutex_robust", "pool_uncontended"}, Keep: "system", User: true, Crash: "notice", Writers: "many", Readers: []string{"one"},
		Why:   "work in place at the speed of memory; who locks after a death gets EOWNERDEAD and repairs",
		Watch: "the repair is yours to write; structures must be valid at any address; a full /dev/shm is SIGBUS unless posix_fallocate was asked; only shm_unlink removes it"},
	{ID: "memory_rwlock", Name: "shared memory with a read-write lock", For: []string{State}, Between: here, Package: "posixshm, pthread", Exercise: "8",
		Rows: []string{"call_rwlock_read", "incr_rwlock_processes"}, Keep: "system", User: true, Crash: "any", Writers: "many", Readers: anyone,
		Why:   "readers work at the same time",
		Watch: "a killed holder leaves it locked for ever: glibc has no robust read-write lock; it prefers readers, and writers starve; short sections gain nothing"},
	{ID: "sysv_memory", Name: "System V shared memory with System V semaphores", For: []string{State}, Between: local, Package: "sysvshm, sysvsem", Exercise: "13",
		Rows: []string{"call_semop_undo", "image_blur_filter"}, Keep: "system", Crash: "survive", Writers: "many", Readers: []string{"one"},
		Why:   "the kernel counts who is attached, and SEM_UNDO gives a dead owner's lock back",
		Watch: "nobody is told that the data are half changed; a lock is a system call; only shmctl and semctl remove them"},
	{ID: "mmapdb", Name: "memory-mapped database", For: []string{State}, Between: local, Package: "mmap, reclock", Exercise: "14",
		Rows: []string{"mmapdb_gets", "mmapdb_puts"}, Keep: "disk", User: true, Crash: "survive", Writers: "many", Readers: anyone,
		Why:   "each reader has a state of its own and copies nothing, and a transaction that has returned survives a power failure",
		Watch: "writers take turns, each commit waits for the disk, a slow reader keeps old pages; mapped memory alone is not on the disk"},
	{ID: "kvstore", Name: "file with record locks", For: []string{State}, Between: local, Package: "reclock", Exercise: "9",
		Rows: []string{"kv_gets", "kv_sets"}, Keep: "disk", Crash: "survive", Writers: "many", Readers: anyone,
		Why:   "no server: each process locks the bytes it changes, and the kernel takes a dead one's locks away",
		Watch: "closing any descriptor of the file drops all locks of the process; threads of one process do not exclude each other; advisory only"},
	{ID: "kv", Name: "replicated key-value store over RPC", For: []string{State}, Between: append(slices.Clone(local), "machines"), Package: "kvrpc, raftrpc", Exercise: "18",
		Rows: []string{"kv_puts_16", "kv_gets_16"}, Keep: "disk", Crash: "survive", Writers: "many", Readers: anyone,
		Why:   "a majority of the servers is enough to go on, and all see one order of changes",
		Watch: "each change is a round trip to a majority and their disks; without a majority nothing is written"},

	{ID: "mutex", Name: "process-shared robust mutex", For: []string{Exclusion}, Between: here, Package: "pthread", Exercise: "7",
		Rows: []string{"call_mutex_robust", "incr_mutex_robust", "call_mutex"}, User: true, Crash: "notice", Readers: []string{"one"},
		Why:   "no call of the kernel unless somebody waits, and the next owner is told of a death by EOWNERDEAD",
		Watch: "it belongs to a thread: the goroutine that locks must unlock; without pthread_mutex_consistent it is unusable for ever; it lives in shared memory"},
	{ID: "rwlock", Name: "read-write lock", For: []string{Exclusion}, Between: here, Package: "pthread", Exercise: "8",
		Rows: []string{"call_rwlock_read", "call_rwlock_write", "incr_rwlock_processes"}, User: true, Crash: "any", Readers: anyone,
		Why:   "readers are in together",
		Watch: "it pays only for long sections; a killed holder leaves it locked for ever; readers are preferred unless told otherwise"},
	{ID: "record_lock", Name: "record lock", For: []string{Exclusion}, Between: local, Package: "reclock", Exercise: "9",
		Rows: []string{"call_reclock", "incr_reclock_processes"}, Crash: "survive", Readers: anyone,
		Why:   "the name of a file is all that is needed, parts of it are locked by themselves, the kernel unlocks for the dead and finds deadlocks",
		Watch: "it belongs to the process: closing any descriptor of the file drops it, threads need the OFD form, which finds no deadlock; nobody is told of a death"},

	{ID: "posix_sem", Name: "POSIX semaphore", For: []string{Count}, Between: here, Package: "posixsem", Exercise: "10",
		Rows: []string{"call_sem", "incr_sem_processes"}, User: true, Crash: "any",
		Why:   "no call of the kernel unless somebody waits, and anyone may post, a signal handler too",
		Watch: "it has no owner: what a killed process had taken stays taken"},
	{ID: "sysv_sem", Name: "System V semaphore with SEM_UNDO", For: []string{Count}, Between: local, Package: "sysvsem", Exercise: "11",
		Rows: []string{"call_semop_undo", "incr_semop_undo_processes"}, Crash: "survive",
		Why:   "the kernel gives back what a dead process had taken; several are changed in one step",
		Watch: "every operation is a system call; creating and initializing are two steps; only semctl removes it"},
	{ID: "pool", Name: "semaphore with a table of owners under a robust mutex", For: []string{Count}, Between: here, Package: "posixsem, pthread, posixshm", Exercise: "10",
		Rows: []string{"pool_uncontended", "pool_contended"}, User: true, Crash: "notice",
		Why:   "the semaphore says how many, the table says who, so that somebody can give back for the dead",
		Watch: "somebody has to look after the dead (a pidfd tells of them); more code than all others here"},

	{ID: "barrier", Name: "pthread barrier", For: []string{Meeting}, Between: here, Package: "pthread", Exercise: "11",
		Rows: []string{"lat_barrier_processes", "barrier_2"}, Crash: "any",
		Why:   "one call, made for this",
		Watch: "if one of them dies the others wait for ever, and the wait cannot be cancelled"},
	{ID: "sysv_barrier", Name: "barrier of System V semaphores", For: []string{Meeting}, Between: local, Package: "sysvsem", Exercise: "11",
		Rows: []string{"barrier_2", "barrier_8"}, Crash: "notice",
		Why:   "SEM_UNDO breaks the barrier when one of them dies, and all others are told",
		Watch: "every round is several system calls; the set outlives everybody"},
}
