package keyserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/keyserv"
	"unpipc/gobind/sunrpc"
	"unpipc/projects/p16rpccalc"
	"unpipc/projects/p17rpcauth/authdes"
)

// Options of a key server.
type Options struct {
	Socket   string // for users of this host; root's is for all of them
	Register bool   // with rpcbind, which libtirpc asks
	// Public finds the public keys of those who are named; nil: nobody is known.
	Public func(netname string) (authdes.PublicKey, error)
	Domain string // of the netnames of this host's users; "": they have none
}

const maxRecord = 4096 // bytes; the longest call has 1,400

// Serve serves until ctx ends, and tells out where. Then all secret keys are forgotten.
func Serve(ctx context.Context, o Options, out io.Writer) (err error) {
	protect()
	store, err := newStore()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.close()) }()
	s := sunrpc.NewServer(sunrpc.ServerOptions{MaxRecord: maxRecord, IdleTimeout: time.Hour})
	for _, service := range keyserv.Services(&server{store, o.Public, o.Domain}) {
		s.Handle(service)
	}
	if err := listen(ctx, s, &o, out); err != nil {
		return errors.Join(err, s.Close())
	}
	return s.Serve(ctx)
}

func listen(ctx context.Context, s *sunrpc.Server, o *Options, out io.Writer) error {
	if err := p16rpccalc.RemoveStale(o.Socket); err != nil {
		return err
	}
	if _, err := s.Listen("unix", o.Socket); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		if err := os.Chmod(o.Socket, 0o666); err != nil {
			return err
		}
	}
	if o.Register {
		if err := s.Register(ctx); err != nil {
			return err
		}
		for _, p := range []sunrpc.Program{keyserv.V1, keyserv.V2} {
			if _, err := fmt.Fprintf(out, "Registered with portmapper: program %d, version %d\n", p.Number, p.Version); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(out, "Serving program %d at %s\n", keyserv.V1.Number, o.Socket)
	return err
}

// protect keeps what else of this process holds a secret for a moment, buffers and
// stacks, from the disk and from other processes of the same user, as far as that is allowed.
func protect() {
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
}

// Domain is the system's NIS domain: getdomainname(2). "" if it is not set.
func Domain() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	if domain := unix.ByteSliceToString(u.Domainname[:]); domain != "(none)" {
		return domain
	}
	return ""
}
