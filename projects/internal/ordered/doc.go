// Package ordered has the store that sync/atomic lacks: one that orders what was done
// before it and nothing more.
//
// C calls it atomic_store_explicit(p, v, memory_order_release). Go's atomic.Store is
// sequentially consistent: on amd64 it is XCHG, which waits until every earlier store of
// this CPU has reached the cache, where a release store is a plain MOV that does not. A
// queue that publishes an index for each item spends most of its time in that wait.
//
// It is assembly because the Go compiler gives no plain store an order. It is a package
// of its own because one that uses cgo may have no Go assembly. Under the race detector,
// which does not see into assembly, and on other processors it is atomic.Store.
//
// The counterpart, a load that orders what is done after it, is atomic.Load, which costs
// no more than a plain load on amd64 and is LDAR on arm64.
//
// Two hints to the CPU come along that Go does not give to its users either: Pause, and
// Prefetch.
//
// # Caveats
//
// A release store does not order a later load: the CPU may read ahead of it. Where that
// matters, as before going to sleep, use atomic.Store.
package ordered
