// Package keyserver is a key server: the process that holds the secret keys of a host's
// users, so that the programs that use them need no password and have no key.
//
//	rpc_keyserv login ──── KEY_NET_PUT ────►┐
//	                                        │ rpc_keyserv: uid ► secret key
//	calc_client ── KEY_ENCRYPT_PK, block ──►│  whose uid it is says the kernel
//	            ◄── sealed block ───────────┘
//
// The protocol is that of package keyserv. A [Server] answers; [Keys] is its client's side,
// in the place of an [authdes.KeyRing].
//
// # Caveats
//
// It keeps keys from other users and from the disk, not from programs of their owner, who
// may have his key back (KEY_NET_GET) and have anything sealed.
package keyserver
