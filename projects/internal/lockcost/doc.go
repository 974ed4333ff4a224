// Package lockcost measures what synchronization costs, in Go and in C: the operations
// that UNPv2 appendix A measures, and those that came after it.
//
//	call_…  one worker locks, increments a counter and unlocks; nobody contends
//	incr_…  several workers increment one counter, each time under the lock
//	lat_…   the workers take turns: a round wakes each of them once
//
// The workers are threads of one process, or processes that share a page of memory, as
// the row says. Each variant is a process of its own that starts them: the running
// binary started again ([Role]), or bin/ref/lockcost from ref/lockcost.c. They have the
// same flags and do the same, at the same places of the page: locks, counter and what
// the workers note are some cache lines apart. The clock runs from when all of them are
// let go until the last one is done.
//
// Every run is verified: the counter's final value is the number of increments, which
// it cannot be if the lock let two in; who takes turns finds the counter at its turn
// each time; and nobody leaves a barrier before the other has come, with one "serial"
// answer a round.
//
// Go's operations are those of package gobind: a call into libc each, which costs more
// than a lock that is free, except where the name says otherwise: "fused" is lock,
// increment and unlock in one call; "mutex", a normal one, and "sem" change glibc's word
// from Go as long as nobody has to sleep, "mutex_libc" and "sem_libc" are libc's functions
// themselves. In C "fused" is the pair, for nothing is saved there.
package lockcost
