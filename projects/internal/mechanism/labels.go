package mechanism

import "strings"

// Family is a group of mechanisms that work alike.
type Family string

// The families, of channels first, then of locks.
const (
	Pipes         Family = "pipe"
	Sockets       Family = "socket"
	Queues        Family = "queue"
	Memory        Family = "memory"
	Calls         Family = "rpc"
	Mutexes       Family = "mutex"
	RWLocks       Family = "rwlock"
	Semaphores    Family = "sem"
	SemaphoreSets Family = "semop"
	Files         Family = "file"
	Others        Family = "other"
)

// labels are the names of what rows measure, by what follows bw_, lat_, call_, incr_.
var labels = []struct {
	row, label string
	family     Family
}{
	{"pipe", "pipe", Pipes},
	{"vmsplice", "vmsplice", Pipes},
	{"pipe_vmsplice", "vmsplice", Pipes},
	{"fifo", "FIFO", Pipes},
	{"unix_stream", "Unix stream", Sockets},
	{"unix_seqpacket", "Unix seqpacket", Sockets},
	{"unix_dgram", "Unix datagram", Sockets},
	{"tcp", "TCP loopback", Sockets},
	{"udp", "UDP loopback", Sockets},
	{"posix_mq", "POSIX queue", Queues},
	{"sysv_mq", "System V queue", Queues},
	{"shm_sem", "shared mem + sem", Memory},
	{"shm_ring", "ring", Memory},
	{"ring", "ring", Memory},
	{"spsc", "lock-free queue", Memory},
	{"rpc_tcp", "Sun RPC, TCP", Calls},
	{"rpc_udp", "Sun RPC, UDP", Calls},
	{"rpc_unix", "Sun RPC, Unix", Calls},
	{"mutex", "mutex", Mutexes},
	{"mutex_libc", "mutex, libc", Mutexes},
	{"mutex_fused", "mutex, one call", Mutexes},
	{"mutex_robust", "robust mutex", Mutexes},
	{"mutex_robust_fused", "robust, one call", Mutexes},
	{"mutex_errorcheck", "error-checking mutex", Mutexes},
	{"mutex_recursive", "recursive mutex", Mutexes},
	{"cond", "condition variable", Mutexes},
	{"barrier", "barrier", Mutexes},
	{"rwlock", "rwlock, writing", RWLocks},
	{"rwlock_read", "rwlock, reading", RWLocks},
	{"rwlock_write", "rwlock, writing", RWLocks},
	{"spin", "spin lock", RWLocks},
	{"sem", "POSIX semaphore", Semaphores},
	{"sem_named", "POSIX sem, named", Semaphores},
	{"sem_libc", "POSIX sem, libc", Semaphores},
	{"semop", "System V sem", SemaphoreSets},
	{"semop_undo", "System V, UNDO", SemaphoreSets},
	{"reclock", "record lock", Files},
	{"reclock_ofd", "record lock, OFD", Files},
}

// Label is the name of what a row measures, without the row's bw_, lat_, call_ or incr_.
// One that is not known gets its own name in words.
func Label(row string) (string, Family) {
	for _, l := range labels {
		if l.row == row {
			return l.label, l.family
		}
	}
	return strings.ReplaceAll(row, "_", " "), Others
}
