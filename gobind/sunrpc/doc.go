// Package sunrpc is Sun RPC over libtirpc: clients, servers, rpcbind and authentication.
// See RFC 5531, rpc(3t), UNPv2 chapter 16.
//
// # Programs
//
// A program is described by a .x file, of which rpcgen makes C: types, their XDR, a stub
// for each procedure and a dispatcher. A package for each program turns that into Go types,
// such as [unpipc/gobind/calc]: it takes a [Caller] and gives methods, or takes an
// implementation and gives a server a [Service]. To add one, x.x:
//
//  1. capi/x.x, then capi/rpcgen.sh; rows in capi/capi.go
//  2. csrc/x: cgo.go, and procedures.c with a line for each procedure; capi/unp_x.h, which
//     names the dispatchers
//  3. gobind/x: methods that call a stub within [Caller].Call, and a Service whose Call
//     switches by the procedure's number
//
// Procedure names become macros of C, without the program's name: two programs that are
// included in one file must not share any.
//
// # What is whose
//
// Messages, XDR, credentials, refusals and the making of calls are libtirpc's and rpcgen's.
// A server's transport is not, but that of csrc/sunrpc: libtirpc's waits 35 seconds for each
// part of a record and reads records of any size, one sender of half a record stops all
// others, its table of programs and its svc_run are one for the whole process, and its
// svc_exit does not wake a server that sleeps. Here each connection has a thread, which
// sleeps in recv(2) and calls Go for each procedure, and limits on size and time; and each
// [Server] has programs of its own. On the wire there is no difference but one: a call of
// another version of RPC is answered, as the RFC has it, where libtirpc closes the
// connection.
//
// # Calls
//
// A [Client] is one connection and makes one call at a time; a [Pool] makes several. Its
// methods sleep on a thread, as all of [unpipc/gobind] does. Who ends a call by its
// context, or has it time out, does not know whether it was made: over "tcp" and "unix" it
// was made at most once, over "udp", where it is sent again and again, perhaps more often. The
// connection is closed then, so that no late answer can be taken for another one's.
//
// A procedure that returns an error refuses the call: an [AuthStat] such as AuthTooWeak
// as an authentication error, a [Status] such as ProcedureUnavailable as that, [ErrNoReply]
// not at all, any other error as SystemError. The client gets an *[Error], in which
// errors.Is finds the Status, the AuthStat, and an errno:
//
//	errors.Is(err, sunrpc.TimedOut)
//	errors.Is(err, sunrpc.AuthTooWeak)
//	errors.Is(err, unix.ECONNRESET)
//
// # Credentials
//
// [AuthNone] is nobody. [AuthSys] is a claim: over "tcp" and "udp" anybody can make it, and
// over "unix" [Request.Peer] is what the kernel knows. [GSS] proves who it is by Kerberos
// and can protect what is said. [Plugged] on one side and [Server.Verify] on the other are
// for a flavor that libtirpc lacks, such as AUTH_DES (3): libtirpc as Debian builds it
// answers that one with AuthFailed.
//
// # rpcbind
//
// [DialHost] and [Server.Register] ask the host's rpcbind, [Rpcbind] asks any. A server
// that is killed leaves its entry there, and clients find nobody at its port (ECONNREFUSED)
// until a new server takes its place. There is one address for a version of a program on a
// network: several servers on one host must be told apart by fixed ports.
//
// # Caveats
//
// A procedure that panics ends the process: there are frames of C below it. It must not end
// its goroutine either, by runtime.Goexit or testing.T.FailNow.
//
// The time-out of a call starts anew with each part of the answer; the context does not.
//
// XDR bounds what is decoded by the .x file alone: an array without a bound there is bounded
// by MaxRecord in a server, and by nothing in a client.
package sunrpc
