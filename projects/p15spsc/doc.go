// Package p15spsc is a queue for one producer and one consumer that uses atomic loads
// and stores only, in memory shared between threads or processes, in Go or in C; and
// beside it the steps that lead there, and the same queue with a mutex and with
// semaphores, to be measured against it.
//
// The queue is a ring of 64-bit items and two counters that only grow:
//
//	  0  magic, version, kind, capacity, where the parts are; closed
//	128  tail: items ever written    the producer's, read by the consumer
//	256  head: items ever read       the consumer's, read by the producer
//	384  locks of the kinds that have some
//	768  the slots: item n is in slot n mod capacity
//
// The producer may write slot n mod capacity when head > n - capacity, and the consumer
// may read it when tail > n. Four orders make that right, see the README: a release
// store of each counter, and an acquire load of it at the other side. No compare-and-swap
// is needed, so there is no ABA: a counter of 64 bits does not come round.
//
//	memory := p15spsc.Heap(1024)
//	q, err := p15spsc.Create(memory, 1024, p15spsc.Cached)
//	p, c := q.Producer(), q.Consumer() // for one goroutine each
//	p.TryPush(42)
//	v, ok := c.TryPop()
//
// # Caveats
//
//   - Two producers, or two consumers, break it. Between processes [Sit] sees to that.
//   - Nothing here sleeps. Who finds the queue full or empty does something else, or
//     turns round and asks again: exercise 12 has a ring that can sleep.
//   - The race detector does not see memory outside of the Go heap. An index of a Go
//     slice that goes through a queue in shared memory orders nothing it knows of.
package p15spsc
