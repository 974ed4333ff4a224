package sunrpc

import "fmt"

// Status says how a call ended: enum clnt_stat of libtirpc. It is an error, inside an
// [*Error], and what a procedure returns to refuse a call.
type Status int

const (
	Success              Status = 0
	CantEncodeArgs       Status = 1  // here: a value that its XDR type does not hold
	CantDecodeResult     Status = 2  // here: the answer is not what the .x file says
	CantSend             Status = 3  // here, with an errno
	CantReceive          Status = 4  // here, with an errno; the call may have been made
	TimedOut             Status = 5  // here; the call may have been made
	RPCVersionMismatch   Status = 6  // the server does not speak RPC version 2
	AuthError            Status = 7  // with an [AuthStat]
	ProgramUnavailable   Status = 8  // the server does not have the program
	VersionMismatch      Status = 9  // the server has others: Error.Low to Error.High
	ProcedureUnavailable Status = 10 // the program has no such procedure
	CantDecodeArgs       Status = 11 // the server could not make sense of the arguments
	SystemError          Status = 12 // the server failed
	UnknownHost          Status = 13
	BinderFailure        Status = 14 // rpcbind cannot be asked
	NotRegistered        Status = 15 // rpcbind does not know the program
	Failed               Status = 16
)

var statusText = map[Status]string{
	Success:              "success",
	CantEncodeArgs:       "cannot encode the arguments",
	CantDecodeResult:     "cannot decode the result",
	CantSend:             "cannot send",
	CantReceive:          "cannot receive",
	TimedOut:             "timed out",
	RPCVersionMismatch:   "RPC version mismatch",
	AuthError:            "authentication error",
	ProgramUnavailable:   "program unavailable",
	VersionMismatch:      "program version mismatch",
	ProcedureUnavailable: "procedure unavailable",
	CantDecodeArgs:       "the server cannot decode the arguments",
	SystemError:          "the server failed",
	UnknownHost:          "unknown host",
	BinderFailure:        "rpcbind does not answer",
	NotRegistered:        "program not registered",
	Failed:               "failed",
}

func (s Status) Error() string {
	if text := statusText[s]; text != "" {
		return text
	}
	return fmt.Sprintf("RPC status %d", int(s))
}

// answered says that the server has answered, so that the connection is in order.
func (s Status) answered() bool {
	switch s {
	case Success, RPCVersionMismatch, AuthError, ProgramUnavailable, VersionMismatch, ProcedureUnavailable, CantDecodeArgs, SystemError:
		return true
	}
	return false
}

// AuthStat says why a call was refused: enum auth_stat of RFC 5531. It is an error,
// inside an [*Error], and what a procedure returns to refuse a call.
type AuthStat int

const (
	AuthOK              AuthStat = 0
	AuthBadCred         AuthStat = 1 // the credential is broken
	AuthRejectedCred    AuthStat = 2 // a new session must begin
	AuthBadVerf         AuthStat = 3 // the verifier is broken
	AuthRejectedVerf    AuthStat = 4 // the verifier is too old, or replayed
	AuthTooWeak         AuthStat = 5 // the flavor, or who it is, does not suffice
	AuthInvalidResponse AuthStat = 6 // here: the verifier of the answer is broken
	AuthFailed          AuthStat = 7
	GSSCredProblem      AuthStat = 13
	GSSContextProblem   AuthStat = 14
)

var authText = map[AuthStat]string{
	AuthOK:              "in order",
	AuthBadCred:         "bad credential",
	AuthRejectedCred:    "credential rejected",
	AuthBadVerf:         "bad verifier",
	AuthRejectedVerf:    "verifier rejected",
	AuthTooWeak:         "credential too weak",
	AuthInvalidResponse: "the server's verifier is not valid",
	AuthFailed:          "unspecified",
	GSSCredProblem:      "no credential for the GSS context",
	GSSContextProblem:   "problem with the GSS context",
}

func (a AuthStat) Error() string {
	if text := authText[a]; text != "" {
		return text
	}
	return fmt.Sprintf("authentication status %d", int(a))
}
