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
// the workers note are some cache lines apart.
//
// Several workers stay on a CPU each, in turn where there are more of them than CPUs. Left
// alone the kernel puts two on one CPU or on two, and either stays as it is for a run: on
// one nobody contends, and a wake-up is a change of threads, several times as fast. And they
// begin together: whoever wakes up lets others run until all have woken up, and then the
// clock starts. It stops when the last one is done.
//
// Every run is verified: the counter's final value is the number of increments, which
// it cannot be if the lock let two in; who takes turns finds the counter at its turn
// each time; and nobody leaves a barrier before the other has come, with one "serial"
// answer a round.
//
// Go's operations are those of package gobind. Where glibc's words are known they change them
// themselves as long as nobody has to sleep: "mutex" of every kind here, "sem",
// "spin", "rwlock"; "mutex_libc" and "sem_libc" are libc's functions themselves, and show what
// a call into C and back costs. "fused" is lock, increment and unlock in one call, which in C is
// the pair, for nothing is saved there.
package lockcost
