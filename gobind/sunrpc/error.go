package sunrpc

import (
	"errors"
	"fmt"
)

// Program is a version of a program, which rpcinfo(8) writes as 824377344 version 1.
type Program struct{ Number, Version uint32 }

func (p Program) String() string { return fmt.Sprintf("program %#x version %d", p.Number, p.Version) }

// Error is a call that failed. errors.Is finds Status in it, Why, and Err.
type Error struct {
	Op        string // "call", "dial", or a procedure of rpcbind
	Program   Program
	Status    Status
	Why       AuthStat // with AuthError
	Low, High uint32   // with VersionMismatch and RPCVersionMismatch: what the server has
	Err       error    // what is behind it: an errno, or an error of package net; or nil
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s %s: %s", e.Op, e.Program, e.Status.Error())
	switch e.Status {
	case AuthError:
		text += ": " + e.Why.Error()
	case VersionMismatch, RPCVersionMismatch:
		text += fmt.Sprintf(": the server has %d to %d", e.Low, e.High)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() []error {
	list := []error{e.Status}
	if e.Status == AuthError {
		list = append(list, e.Why)
	}
	if e.Err != nil {
		list = append(list, e.Err)
	}
	return list
}

// ErrBroken says that an earlier call has broken the connection: it timed out, was
// cancelled, or was not answered.
var ErrBroken = errors.New("an earlier call has broken the connection")
