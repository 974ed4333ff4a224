// Package ordered has the store that sync/atomic lacks: one that orders what was done
// before it and nothing more.
//
// C calls it atomic_store_explicit(p, v, memory_order_release). Go's atomic.Store is
// sequentially consistent: on amd64 it is XCHG, which waits until every earlier store of
// this CPU has reached the cache, where a release store is a plain MOV that does not. A
// queue that publishes an index for each item spends most of its time in that wait.
//
// On amd64 it is a plain store behind a fence for the compiler, on arm64 atomic.Store,
// which there is the release store that is wanted; under the race detector, which would
// take a plain store for a race, and on other processors it is atomic.Store as well. All
// are inlined.
//
// The counterpart, a load that orders what is done after it, is atomic.Load, which costs
// no more than a plain load on amd64 and is LDAR on arm64.
//
// Some hints to the CPU come along that Go does not give to its users either: Pause,
// Prefetch and PrefetchWrite. They are assembly, and in a package of their own because one
// that uses cgo may have none.
//
// # Caveats
//
// A release store does not order a later load: the CPU may read ahead of it. Where that
// matters, as before going to sleep, use atomic.Store.
package ordered
