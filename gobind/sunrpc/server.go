package sunrpc

/*
#include <stdlib.h>
#include "unp_sunrpc_server.h"

extern int unpSunrpcCall(void *cookie, struct svc_req *req, void *args, void *result);
extern int unpSunrpcCheck(void *cookie, struct svc_req *req);
extern int unpSunrpcVerify(void *cookie, struct svc_req *req, struct opaque_auth *cred,
			   struct opaque_auth *verf, struct opaque_auth *reply);
*/
import "C"

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"unpipc/gobind/internal/errs"
)

// ServerOptions are a server's limits; the zero value of each is a default.
type ServerOptions struct {
	MaxRecord       int           // bytes of a request and of a reply: 1 MiB; over "udp" a reply has 8,800 at most
	MaxConns        int           // connections at a time: 1024; what comes beyond is closed at once
	DatagramThreads int           // how many calls over "udp" run at a time: 4
	IdleTimeout     time.Duration // between two requests of a connection: 10 min; below 0: no limit
	RecordTimeout   time.Duration // for a request to come whole, and for a reply to be taken: 30 s
	Grace           time.Duration // for calls in progress when Serve is to end: 5 s

	// Check is called for each call of a program that there is, procedure 0 too, before the
	// arguments are decoded. An error refuses the call as a procedure's does.
	Check func(*Request) error

	// Ended is told of each connection that ended badly: EBADMSG (no RPC call), EMSGSIZE (a
	// record over MaxRecord), ETIMEDOUT, ECONNABORTED (the end within a record), EUSERS
	// (over MaxConns), ECONNRESET and others of recv(2) and send(2).
	Ended func(remote net.Addr, err error)
}

func (o *ServerOptions) setDefaults() {
	for _, n := range []struct {
		value    *int
		standard int
	}{{&o.MaxRecord, 1 << 20}, {&o.MaxConns, 1024}, {&o.DatagramThreads, 4}} {
		if *n.value <= 0 {
			*n.value = n.standard
		}
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = 10 * time.Minute
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{{&o.RecordTimeout, 30 * time.Second}, {&o.Grace, 5 * time.Second}} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
}

// Service is a version of a program, made by the package of its .x file.
type Service struct {
	Program Program
	// Dispatch is the C function that rpcgen -m has made of it; its procedures are those
	// of unp_sunrpc_server.h.
	Dispatch unsafe.Pointer
	// Call runs the procedure r.Proc(). args and result are its C types, result zeroed;
	// what is put there must be malloc'ed, as xdr_free frees it. An error refuses the call.
	Call func(r *Request, args, result unsafe.Pointer) error
}

// Verifier judges credentials of one flavor. It may set r.Identity for the procedure to
// see. reply is the verifier of the answer. Anything but AuthOK refuses the call.
type Verifier func(r *Request, cred, verf Opaque) (reply Opaque, why AuthStat)

// Server serves programs over connections, each on a thread of its own.
//
//	s := NewServer(ServerOptions{})
//	s.Handle(…)
//	addr, err := s.Listen("tcp", "localhost:0")
//	err = s.Register(ctx) // or not
//	err = s.Serve(ctx)
type Server struct {
	options   ServerOptions
	services  map[Program]Service
	verifiers map[uint32]Verifier
	gss       bool
	listeners []*listener
	mappings  []Mapping // registered with rpcbind

	calls   context.Context // of the calls in progress
	mu      sync.Mutex
	conns   map[*conn]struct{}
	streams int // among conns
	stopped bool
	running sync.WaitGroup
	shim    *C.struct_unp_sunrpc_server
}

// NewServer makes a server without programs and addresses.
func NewServer(o ServerOptions) *Server {
	o.setDefaults()
	return &Server{
		options:   o,
		services:  map[Program]Service{},
		verifiers: map[uint32]Verifier{},
		conns:     map[*conn]struct{}{},
	}
}

// Handle adds a program, before Serve.
func (s *Server) Handle(service Service) { s.services[service.Program] = service }

// Verify adds a flavor that libtirpc does not have, or takes one of it over: 3 is AUTH_DES.
// Before Serve.
func (s *Server) Verify(flavor uint32, v Verifier) { s.verifiers[flavor] = v }

// Serve serves until ctx ends, and returns nil then; a server serves once. At the end
// calls in progress may go on for the time Grace, and their answers are sent; then their
// contexts end and their connections are shut down. Serve returns when all of them have
// returned, the addresses are closed and what [Server.Register] did is undone.
func (s *Server) Serve(ctx context.Context) error {
	s.build()
	defer s.free()
	calls, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	s.calls = calls

	accepting, stopAccepting := context.WithCancel(ctx)
	defer stopAccepting()
	failures := make(chan error, len(s.listeners))
	var acceptors sync.WaitGroup
	for _, l := range s.listeners {
		acceptors.Go(func() {
			if err := s.accept(accepting, l); err != nil {
				failures <- err
				stopAccepting()
			}
		})
	}
	<-accepting.Done()
	acceptors.Wait()

	unregistered := s.unregister()
	s.stopAll(syscall.SHUT_RD)
	late := time.AfterFunc(s.options.Grace, func() {
		end()
		s.stopAll(syscall.SHUT_RDWR)
	})
	s.running.Wait()
	late.Stop()
	close(failures)
	return errors.Join(<-failures, unregistered, s.closeListeners())
}

// Close closes the addresses of a server that was never served.
func (s *Server) Close() error { return errors.Join(s.unregister(), s.closeListeners()) }

// build makes the C side of the server.
func (s *Server) build() {
	programs := unsafe.Slice((*C.struct_unp_sunrpc_program)(C.calloc(C.size_t(len(s.services)+1),
		C.sizeof_struct_unp_sunrpc_program)), len(s.services)+1)
	n := 0
	for p, service := range s.services {
		programs[n] = C.struct_unp_sunrpc_program{
			number: C.rpcprog_t(p.Number), version: C.rpcvers_t(p.Version),
			dispatch: (*[0]byte)(service.Dispatch),
		}
		n++
	}
	flavors := unsafe.Slice((*C.int)(C.calloc(C.size_t(len(s.verifiers)+1), C.sizeof_int)), len(s.verifiers)+1)
	f := 0
	for flavor := range s.verifiers {
		flavors[f] = C.int(flavor)
		f++
	}
	s.shim = (*C.struct_unp_sunrpc_server)(C.calloc(1, C.sizeof_struct_unp_sunrpc_server))
	*s.shim = C.struct_unp_sunrpc_server{
		programs: &programs[0], program_count: C.size_t(n),
		flavors: &flavors[0], flavor_count: C.size_t(f),
		hooks: C.struct_unp_sunrpc_hooks{
			call:   (*[0]byte)(C.unpSunrpcCall),
			verify: (*[0]byte)(C.unpSunrpcVerify),
		},
		gss:        C.bool(s.gss),
		max_record: C.size_t(s.options.MaxRecord),
		idle_ns:    C.int64_t(s.options.IdleTimeout),
		record_ns:  C.int64_t(s.options.RecordTimeout),
	}
	if s.options.Check != nil {
		s.shim.hooks.check = (*[0]byte)(C.unpSunrpcCheck)
	}
}

func (s *Server) free() {
	C.free(unsafe.Pointer(s.shim.programs))
	C.free(unsafe.Pointer(s.shim.flavors))
	C.free(unsafe.Pointer(s.shim))
}

// add counts a connection in and serves it on a goroutine; false: there are too many, or
// the server has stopped.
func (s *Server) add(c *conn, serve func() syscall.Errno) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || c.stream && s.streams == s.options.MaxConns {
		return false
	}
	if c.stream {
		s.streams++
	}
	s.conns[c] = struct{}{}
	s.running.Go(func() {
		errno := serve()
		s.remove(c)
		if errno != 0 {
			s.ended(c.remote, errno)
		}
	})
	return true
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if c.stream {
		s.streams--
	}
	c.close()
}

func (s *Server) ended(remote net.Addr, errno syscall.Errno) {
	if s.options.Ended != nil {
		s.options.Ended(remote, errs.Call("serve", errno))
	}
}

// stopAll keeps every connection from beginning another call. how is shutdown(2)'s.
func (s *Server) stopAll(how int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for c := range s.conns {
		c.stop(how)
	}
}
