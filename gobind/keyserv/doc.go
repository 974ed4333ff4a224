// Package keyserv is keyserv.x, the program of a key server, in Go types: a client and a
// server over [unpipc/gobind/sunrpc].
//
// A key server holds the secret keys of a host's users and uses them in their place. It
// knows who calls from the kernel ([sunrpc.Request.Peer]), so it is served over a Unix
// domain socket. libtirpc's key_setsecret, key_encryptsession_pk and so on find it through
// rpcbind, as "local"; those of glibc at [Path].
//
// Secret keys are passed by pointer, into the memory of the call, which is zeroed when the
// call is over.
package keyserv
