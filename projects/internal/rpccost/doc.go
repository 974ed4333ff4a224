// Package rpccost measures how messages get from one process to another by Sun RPC, over
// TCP, UDP and Unix sockets, in Go and in C: what package transfer measures of the other
// mechanisms.
//
// A message is a value of kv.x: the client puts it (KV_PUT), and the answer tells its
// number. The next call is made when the answer of the one before has come: there is one
// message under way at a time, and a throughput (bw_) is that of such calls. A round trip
// (lat_) has the message one way and the answer back.
//
// Client and server are processes of one language: the running binary started again
// ([Role]), or bin/ref/rpccost from ref/rpccost.c, over libtirpc's own client and server.
// They have the same flags and say the same, so that a Go client can call a C server.
//
// # What is verified
//
// The server takes numbers in their order only, and each message is to have its own at
// both ends, as package message makes it; a call over UDP that comes again is answered
// again. The messages before the clock starts are compared byte for byte by the server,
// the last one, which the client asks for in the end (KV_GET), by the client.
package rpccost
