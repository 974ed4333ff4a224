// Package authdes is authentication flavor 3 of Sun RPC, AUTH_DES, also called AUTH_DH:
// RFC 2695, section 2. It makes and judges credentials and verifiers as they go over the
// wire; the calls that carry them are those of package sunrpc.
//
//	                 client                                        server
//	  secret key, the server's public key           secret key, the client's public key
//	                    \                                       /
//	                     the common key: Diffie-Hellman, 192 bits
//	                                      |
//	        it seals the conversation key, a DES key that the client has made up,
//	        which seals the time of each call: who knows the time's seal is the client
//
//	first call   credential: full name, sealed conversation key, sealed window
//	             verifier:   sealed time, sealed window - 1
//	its reply    verifier:   sealed time - 1 s, a nickname
//	later calls  credential: the nickname
//	             verifier:   sealed time, later than every one before
//
// A [Client] belongs to one conversation; a [Server] holds the conversations of all its
// clients. Both get their common keys from a [Keys]: a [KeyRing] that holds a secret key,
// or a key server that holds those of everybody.
//
// # Caveats
//
// This is history, faithfully: a 192-bit modulus is broken in hours or less, and of the
// cipher's 56 bits every implementation uses 48; nothing binds arguments or results to the verifier, and when a server has
// forgotten a conversation, by a restart or because there were many others, its last full
// name can be used again until its window has passed.
package authdes
