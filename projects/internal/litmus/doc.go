// Package litmus tries every order in which two threads' memory accesses can take
// effect, and so finds out what a missing barrier allows: with certainty and on any
// machine, where running the code shows only what this machine happens to do.
//
// A [Thread] is a list of accesses without loops. A loop that waits is one [Await]: the
// reading that ends it. Each access takes effect for all threads at once, as on x86 and
// on ARMv8, but a thread's accesses need not take effect in the order of its program.
// The [Model] says which two may change places:
//
//	SC    none
//	TSO   a load may overtake an earlier store to another address: x86's store buffer
//	Weak  any may overtake any other, unless the address is the same, one needs the
//	      value that the other reads, the earlier is an acquire, the later is a release,
//	      or one is a fence
//
// Weak is what the languages promise, not what one processor does: a branch orders
// nothing here.
//
// # Caveats
//
// The price of trying everything is that programs must be small: some twenty accesses.
package litmus
