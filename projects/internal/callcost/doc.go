// Package callcost measures what the calls on a message queue cost, in Go and in C,
// when nobody has to wait: one process sends a message and receives it again.
//
// Each variant is a process of its own: the running binary started again ([Role]), or
// bin/ref/callcost from ref/callcost.c. They have the same flags and do the same: the
// queue holds one message, the message is sent from one buffer and received into
// another. Its sequence number, from 1, is in its first and in its last 8 bytes,
// 64 bits little-endian (below 16 bytes: the low 8 bits in the first and in the last),
// and is compared every time, as is the priority or the type, which follows from it.
// The messages of the warm-up and the last one are compared byte for byte.
//
// A second C variant of the POSIX queue has a thread that does nothing. In a process with
// several threads, as every Go program is one, the kernel counts the users of the file at
// the begin and end of each call on a descriptor, which takes about a tenth of the time
// at 64 bytes: that, and not the binding, is what separates Go from the C of one thread.
//
// A message over the system's limit is measured in an IPC namespace of the process's
// own, where the limit is raised, if the process may make one; the host's limits are
// left alone.
package callcost
