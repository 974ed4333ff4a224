package sunrpc

import (
	"context"
	"errors"
	"net"
	"time"
)

// Register registers the server's programs and addresses with this host's rpcbind, for
// clients to find, and takes the place of what a server that was killed has left there.
// To be called after Handle and Listen; the end of [Server.Serve] undoes it.
// Errors: [*Error] (BinderFailure; [ErrRefused]: another user has registered the program).
func (s *Server) Register(ctx context.Context) error {
	for program := range s.services {
		for _, l := range s.listeners {
			for _, m := range mappings(program, l.addr) {
				// Whatever is wrong, Set says.
				_ = LocalRpcbind.Unset(ctx, program, m.Netid)
				if err := LocalRpcbind.Set(ctx, m); err != nil {
					return errors.Join(err, s.unregister())
				}
				s.mappings = append(s.mappings, m)
			}
		}
	}
	return nil
}

// unregister has a time of its own: the context of the server has ended.
func (s *Server) unregister() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var failures []error
	for _, m := range s.mappings {
		failures = append(failures, LocalRpcbind.Unset(ctx, m.Program, m.Netid))
	}
	s.mappings = nil
	return errors.Join(failures...)
}

// mappings are those of an address: a socket for IPv6 that is bound to no address takes
// what comes over IPv4 too.
func mappings(p Program, addr net.Addr) []Mapping {
	var netid string
	var ip net.IP
	switch a := addr.(type) {
	case *net.TCPAddr:
		netid, ip = "tcp", a.IP
	case *net.UDPAddr:
		netid, ip = "udp", a.IP
	default:
		return []Mapping{{Program: p, Netid: "local", Addr: addr.String()}}
	}
	if ip.To4() != nil {
		return []Mapping{{Program: p, Netid: netid, Addr: universal(addr)}}
	}
	six := Mapping{Program: p, Netid: netid + "6", Addr: universal(addr)}
	if !ip.IsUnspecified() {
		return []Mapping{six}
	}
	four := Mapping{Program: p, Netid: netid}
	if a, ok := addr.(*net.TCPAddr); ok {
		four.Addr = universal(&net.TCPAddr{IP: net.IPv4zero, Port: a.Port})
	} else {
		four.Addr = universal(&net.UDPAddr{IP: net.IPv4zero, Port: addr.(*net.UDPAddr).Port})
	}
	return []Mapping{four, six}
}
