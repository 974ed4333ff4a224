// Package p07prodcons is exercise 7: producers and consumers at one bounded buffer, with
// one mutex and two condition variables (UNPv2 7.1 to 7.6).
//
// The buffer is a monitor in memory: the objects of [unpipc/gobind/pthread], the counters
// they protect, the slots, and a bit for each item that was consumed. Threads have it in
// memory of their process, processes in a POSIX shared memory object; the layout is the same
// in the C reference, so that members of both kinds meet at one buffer.
//
// Lock order: there is only one lock.
package p07prodcons
