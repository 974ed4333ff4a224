package sunrpc

/*
#include <stdlib.h>
#include "unp_rpcbind.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"unsafe"
)

// Rpcbind is where a host's rpcbind is, which knows the addresses of its programs:
// rpcbind(8).
type Rpcbind struct{ Network, Addr string }

// LocalRpcbind is this host's. Only over its socket will it change mappings.
var LocalRpcbind = Rpcbind{"unix", "/run/rpcbind.sock"}

// RpcbindOf is another host's.
func RpcbindOf(host string) Rpcbind { return Rpcbind{"tcp", net.JoinHostPort(host, "111")} }

// rpcbindProgram is rpcbind's own, in the version that knows more networks than two.
var rpcbindProgram = Program{100000, 3}

// Mapping is the address of a program on one network.
type Mapping struct {
	Program
	Netid string // "tcp", "tcp6", "udp", "udp6", "local": netconfig(5)
	Addr  string // universal: "127.0.0.1.38.243", or a path
	Owner string // who has registered it: "superuser", a user's number, "unknown"
}

func (m Mapping) String() string { return fmt.Sprintf("%s %s %s", m.Program, m.Netid, m.Addr) }

// Port is that of the universal address, 0 if it has none.
func (m Mapping) Port() int { return universalPort(m.Addr) }

// universalPort is what the last two numbers say.
func universalPort(addr string) int {
	parts := strings.Split(addr, ".")
	if len(parts) < 3 {
		return 0
	}
	high, err1 := strconv.ParseUint(parts[len(parts)-2], 10, 8)
	low, err2 := strconv.ParseUint(parts[len(parts)-1], 10, 8)
	if errors.Join(err1, err2) != nil {
		return 0
	}
	return int(high<<8 | low)
}

// universal is the address of a network as rpcbind has it: RFC 5665.
func universal(addr net.Addr) string {
	port := func(ip net.IP, p int) string { return fmt.Sprintf("%s.%d.%d", ip, p>>8, p&255) }
	switch a := addr.(type) {
	case *net.TCPAddr:
		return port(a.IP, a.Port)
	case *net.UDPAddr:
		return port(a.IP, a.Port)
	}
	return addr.String()
}

// ask makes a call to rpcbind. Who does not answer, or is none, is a BinderFailure.
func (b Rpcbind) ask(ctx context.Context, op string, p Program, stub func(*C.CLIENT) C.enum_clnt_stat) error {
	c, err := Dial(ctx, b.Network, b.Addr, rpcbindProgram, Options{})
	if err == nil {
		err = c.Call(ctx, func(h Handle) Status { return Status(stub((*C.CLIENT)(h))) })
		_ = c.Close()
	}
	if err != nil && ctx.Err() == nil {
		return &Error{Op: op, Program: p, Status: BinderFailure, Err: err}
	}
	return err
}

// over is the same rpcbind asked over the network that an address is wanted for: it tells
// those of the network that the question came by.
func (b Rpcbind) over(netid string) Rpcbind {
	if b.Network == "unix" && netid != "local" {
		b.Addr = "127.0.0.1:111"
		if strings.HasSuffix(netid, "6") {
			b.Addr = "[::1]:111"
		}
	}
	if netid != "local" {
		b.Network = netid
	}
	return b
}

// GetAddr is the universal address of a program: of this version, or of another one if
// there is only that. Errors: [*Error] (BinderFailure, NotRegistered).
func (b Rpcbind) GetAddr(ctx context.Context, p Program, netid string) (string, error) {
	b = b.over(netid)
	cNetid := C.CString(netid)
	defer C.free(unsafe.Pointer(cNetid))
	var addr *C.char
	err := b.ask(ctx, "getaddr", p, func(h *C.CLIENT) C.enum_clnt_stat {
		return C.unp_rpcbind_getaddr(h, C.rpcprog_t(p.Number), C.rpcvers_t(p.Version), cNetid, &addr)
	})
	defer C.free(unsafe.Pointer(addr))
	if err != nil {
		return "", err
	}
	if found := C.GoString(addr); found != "" {
		return found, nil
	}
	return "", &Error{Op: "getaddr", Program: p, Status: NotRegistered}
}

// GetPort is the port in what [Rpcbind.GetAddr] finds.
func (b Rpcbind) GetPort(ctx context.Context, p Program, netid string) (int, error) {
	addr, err := b.GetAddr(ctx, p, netid)
	if err != nil {
		return 0, err
	}
	if port := universalPort(addr); port != 0 {
		return port, nil
	}
	return 0, &Error{Op: "getaddr", Program: p, Status: BinderFailure, Err: fmt.Errorf("no port in the address %q", addr)}
}

// Dump is all that rpcbind knows, as "rpcinfo" shows it. Error: BinderFailure.
func (b Rpcbind) Dump(ctx context.Context) ([]Mapping, error) {
	var first *C.rpcblist
	err := b.ask(ctx, "dump", rpcbindProgram, func(h *C.CLIENT) C.enum_clnt_stat { return C.unp_rpcbind_dump(h, &first) })
	defer C.unp_rpcbind_free(first)
	if err != nil {
		return nil, err
	}
	var all []Mapping
	for l := first; l != nil; l = l.rpcb_next {
		m := l.rpcb_map
		all = append(all, Mapping{
			Program: Program{uint32(m.r_prog), uint32(m.r_vers)},
			Netid:   C.GoString(m.r_netid), Addr: C.GoString(m.r_addr), Owner: C.GoString(m.r_owner),
		})
	}
	return all, nil
}

// ErrRefused says that rpcbind did not change a mapping: it is another user's, or (Set) is
// there already.
var ErrRefused = errors.New("rpcbind refused")

// Set registers a mapping; Owner is of no account. Errors: BinderFailure, [ErrRefused].
func (b Rpcbind) Set(ctx context.Context, m Mapping) error {
	netid, addr := C.CString(m.Netid), C.CString(m.Addr)
	defer C.free(unsafe.Pointer(netid))
	defer C.free(unsafe.Pointer(addr))
	var done C.int
	err := b.ask(ctx, "set", m.Program, func(h *C.CLIENT) C.enum_clnt_stat {
		return C.unp_rpcbind_set(h, C.rpcprog_t(m.Number), C.rpcvers_t(m.Version), netid, addr, &done)
	})
	return refused(err, "set", m.Program, done)
}

// Unset removes a mapping if it is there, and with netid "" those of all networks. Errors
// as for Set.
func (b Rpcbind) Unset(ctx context.Context, p Program, netid string) error {
	cNetid := C.CString(netid)
	defer C.free(unsafe.Pointer(cNetid))
	var done C.int
	err := b.ask(ctx, "unset", p, func(h *C.CLIENT) C.enum_clnt_stat {
		return C.unp_rpcbind_unset(h, C.rpcprog_t(p.Number), C.rpcvers_t(p.Version), cNetid, &done)
	})
	return refused(err, "unset", p, done)
}

func refused(err error, op string, p Program, done C.int) error {
	if err == nil && done == 0 {
		return &Error{Op: op, Program: p, Status: Failed, Err: ErrRefused}
	}
	return err
}

// Ping asks rpcbind for nothing. Error: BinderFailure.
func (b Rpcbind) Ping(ctx context.Context) error {
	c, err := Dial(ctx, b.Network, b.Addr, rpcbindProgram, Options{})
	if err == nil {
		err = c.Null(ctx)
		_ = c.Close()
	}
	if err != nil && ctx.Err() == nil {
		return &Error{Op: "ping", Program: rpcbindProgram, Status: BinderFailure, Err: err}
	}
	return err
}
