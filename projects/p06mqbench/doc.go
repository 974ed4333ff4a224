// Package p06mqbench sets the mechanisms side by side that carry a message from one
// process to another: throughput and latency by message size, in Go beside C.
//
// The measuring itself, the two processes, what they verify and the C twin are
// package transfer's; here are the guide's table, the winners and the plot.
//
// Throughput is what the reader gets, from its being ready to its having the last
// message. Latency is half of a round trip, a message there and the same one back:
// two clocks cannot be compared at this scale, and one is read twice.
package p06mqbench
