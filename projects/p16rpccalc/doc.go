// Package p16rpccalc is a calculator whose procedures are called by other processes, also
// on other machines: UNPv2 chapter 16, Sun RPC.
//
//	calc_client                                                      calc_server
//	  add_2(a, b) ──► XDR ──► record ──► TCP, UDP, Unix ──► XDR ──► Apply(Add, a, b)
//	     ▲                                                                │
//	     └─────────── XDR ◄── record ◄──────────────────────── XDR ◄──────┘
//	        where? ──► rpcbind, port 111 ◄── program, version, protocol, port
//
// The interface is capi/calc.x, of which rpcgen makes the stubs; unpipc/gobind/calc has
// them in Go types.
//
// # Two versions
//
// Version 1 has ADD, SUBTRACT and MULTIPLY, whose results are integers and nothing else.
// Where there is no such integer the call itself fails (SYSTEM_ERR): no number is right.
// Version 2 has the same procedures under the same numbers, DIVIDE, REMAINDER and
// EVALUATE after them, and returns a union: a value, or why there is none. That a result
// changes its type is what versions are for; both are served at the same address.
//
// A client asks in version 2. A server that has version 1 only says so in its answer
// (PROG_MISMATCH), and is asked again in version 1.
//
// # Registration
//
// A server without --port takes any port and registers it with rpcbind, for both versions
// and each protocol. What a server that was killed has left there is found out by calling
// it: where nobody answers, the entries are replaced; a living server keeps its own.
package p16rpccalc
