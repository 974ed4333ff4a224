// Package p17rpcauth lets the calculator of exercise 16 know who calls: RFC 5531,
// UNPv2 section 16.7.
//
//	calc_client                               calc_server
//	  credential, verifier ──► flavor accepted? genuine? ──► policy ──► add
//	                                │                          │
//	                           AUTH_BADCRED,              AUTH_TOOWEAK
//	                           AUTH_REJECTEDVERF, …
//
// A call carries a credential, which says who calls, and a verifier, which is to prove
// it. What they hold is the flavor's matter:
//
//	none  nothing
//	sys   uid, gid and groups: a claim
//	des   a netname, proved by the time of day, encrypted with a key that only the two
//	      know: package authdes
//	gss   a Kerberos principal; arguments and results can be protected, too
//
// With des, secret keys are in the processes that need them, or in a key server: package
// keyserver.
//
// The server, a [Guard], accepts some flavors and asks a [Policy] for the rest.
// Procedure 0, which does nothing, is anybody's.
package p17rpcauth
