package p17rpcauth

import (
	"errors"
	"fmt"

	"unpipc/gobind/sunrpc"
	"unpipc/projects/p16rpccalc"
)

// whyNames are the names of RFC 5531.
var whyNames = map[sunrpc.AuthStat]string{
	sunrpc.AuthBadCred: "AUTH_BADCRED", sunrpc.AuthRejectedCred: "AUTH_REJECTEDCRED",
	sunrpc.AuthBadVerf: "AUTH_BADVERF", sunrpc.AuthRejectedVerf: "AUTH_REJECTEDVERF",
	sunrpc.AuthTooWeak: "AUTH_TOOWEAK", sunrpc.AuthInvalidResponse: "AUTH_INVALIDRESP",
	sunrpc.AuthFailed: "AUTH_FAILED", sunrpc.GSSCredProblem: "RPCSEC_GSS_CREDPROBLEM",
	sunrpc.GSSContextProblem: "RPCSEC_GSS_CTXPROBLEM",
}

var whyTexts = map[sunrpc.AuthStat]string{
	sunrpc.AuthBadCred:         "the server takes the credential for false or broken",
	sunrpc.AuthRejectedCred:    "the server wants the credential anew",
	sunrpc.AuthBadVerf:         "the server takes the verifier for broken",
	sunrpc.AuthRejectedVerf:    "the server takes the call for old, early or repeated; are the clocks right?",
	sunrpc.AuthTooWeak:         "this flavor, or this caller, may not call that",
	sunrpc.AuthInvalidResponse: "the answer is not from the server whose key we have",
	sunrpc.AuthFailed:          "authentication failed",
	sunrpc.GSSCredProblem:      "the server has no context of Kerberos for us",
	sunrpc.GSSContextProblem:   "the context of Kerberos is broken",
}

// Explain is an error of p16rpccalc's client with the reason of a refusal in words.
func Explain(err error) error {
	var refused *p16rpccalc.Refusal
	if !errors.As(err, &refused) {
		return err
	}
	why := refused.Err.Why
	name, text := whyNames[why], whyTexts[why]
	if name == "" {
		name, text = fmt.Sprintf("auth_stat %d", why), "the server refuses the call"
	}
	if why == sunrpc.AuthFailed && refused.Err.Err != nil { // of GSS-API, on this side
		return fmt.Errorf("%s: %s: %w", refused.Where, name, refused.Err.Err)
	}
	return fmt.Errorf("%s: %s: %s", refused.Where, name, text)
}
