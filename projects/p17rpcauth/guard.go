package p17rpcauth

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"unpipc/gobind/sunrpc"
	"unpipc/projects/p17rpcauth/authdes"
)

// flavors by their names, as in --auth.
var flavors = map[string]uint32{"none": 0, "sys": 1, "des": authdes.Flavor, "gss": 6}

// ParseFlavors reads a list with commas.
func ParseFlavors(list string) (map[uint32]bool, error) {
	accepted := map[uint32]bool{}
	for name := range strings.SplitSeq(list, ",") {
		flavor, ok := flavors[name]
		if !ok {
			return nil, fmt.Errorf("%q is not none, sys, des or gss", name)
		}
		accepted[flavor] = true
	}
	return accepted, nil
}

// ParseProtection reads none, integrity or privacy.
func ParseProtection(name string) (sunrpc.Protection, error) {
	i := slices.Index([]string{"none", "integrity", "privacy"}, name)
	if i < 0 {
		return 0, fmt.Errorf("%s is not none, integrity or privacy", name)
	}
	return sunrpc.Authentication + sunrpc.Protection(i), nil
}

// Accepts says whether a flavor is accepted that was named in [ParseFlavors]'s list.
func (g *Guard) Accepts(name string) bool { return g.Flavors[flavors[name]] }

// Guard lets those calls pass that the policy allows.
type Guard struct {
	Flavors map[uint32]bool // accepted
	Policy  Policy
	// PeerCred has AUTH_SYS compared with what the kernel knows of the other end of a Unix
	// socket. The kernel knows no supplementary groups, so they do not count.
	PeerCred  bool
	DES       *authdes.Server                  // nil: that flavor is not accepted
	Principal string                           // this server's: "calc@host.example", for gss
	Protect   sunrpc.Protection                // of gss: what a call must have at least
	Log       func(format string, args ...any) // of each refusal, with the reason
}

// Prepare adds the flavors to a server.
func (g *Guard) Prepare(s *sunrpc.Server) error {
	s.Verify(authdes.Flavor, g.verify)
	if g.Accepts("gss") {
		if err := s.ServeGSS(g.Principal, sunrpc.Kerberos); err != nil {
			return fmt.Errorf("no key for %s in the keytab: %w", g.Principal, err)
		}
	}
	return nil
}

func (g *Guard) verify(r *sunrpc.Request, cred, verf sunrpc.Opaque) (sunrpc.Opaque, sunrpc.AuthStat) {
	if g.DES == nil {
		return sunrpc.Opaque{}, sunrpc.AuthTooWeak
	}
	name, reply, err := g.DES.Verify(cred.Body, verf.Body)
	var refused *authdes.Refused
	if errors.As(err, &refused) {
		why := sunrpc.AuthStat(refused.Why)
		g.Log("a call refused: %s, %v", whyNames[why], err)
		return sunrpc.Opaque{}, why
	} else if err != nil {
		return sunrpc.Opaque{}, sunrpc.AuthFailed
	}
	r.Identity = name
	return sunrpc.Opaque{Flavor: authdes.Flavor, Body: reply}, sunrpc.AuthOK
}

// Check judges a call whose credential could be read and, for des and gss, is genuine.
func (g *Guard) Check(r *sunrpc.Request) error {
	if r.Proc() == 0 {
		return nil
	}
	who, err := g.identify(r)
	name := procedure(r.Proc())
	if err == nil && !g.Policy.allows(name, who) {
		err = refusal{sunrpc.AuthTooWeak, "the policy does not allow it"}
	}
	if err != nil {
		g.Log("%s refused to %s: %v", name, describe(who), err)
	}
	return err
}

// refusal is an AuthStat and, for the log, its reason.
type refusal struct {
	why  sunrpc.AuthStat
	what string
}

func (r refusal) Error() string { return whyNames[r.why] + ", " + r.what }
func (r refusal) Unwrap() error { return r.why }

// identify is all that the caller is, or claims to be where nothing proves it.
func (g *Guard) identify(r *sunrpc.Request) ([]identity, error) {
	var who []identity
	if claim, ok := r.Sys(); ok {
		who = []identity{number("uid", claim.UID), number("gid", claim.GID)}
		if !g.PeerCred {
			for _, gid := range claim.GIDs {
				who = append(who, number("gid", gid))
			}
		} else if peer, ok := r.Peer(); !ok {
			return who, refusal{sunrpc.AuthTooWeak, "the kernel knows nothing of this caller"}
		} else if peer.UID != claim.UID || peer.GID != claim.GID {
			return who, refusal{sunrpc.AuthBadCred, fmt.Sprintf("the kernel says uid %d, gid %d", peer.UID, peer.GID)}
		}
	} else if name, ok := r.Identity.(string); ok {
		who = []identity{{"name", name}}
	} else if peer, ok := r.GSS(); ok {
		who = []identity{{"principal", peer.Principal}}
		if peer.Protection < g.Protect {
			return who, refusal{sunrpc.AuthTooWeak, "not protected enough"}
		}
	}
	if !g.Flavors[r.Flavor()] {
		return who, refusal{sunrpc.AuthTooWeak, fmt.Sprintf("flavor %d is not accepted", r.Flavor())}
	}
	return who, nil
}

func number(kind string, n uint32) identity {
	return identity{kind, strconv.FormatUint(uint64(n), 10)}
}

func describe(who []identity) string {
	var words []string
	for _, i := range who {
		words = append(words, strings.TrimSpace(i.kind+" "+i.value))
	}
	if len(words) == 0 {
		return "a caller without a name"
	}
	return strings.Join(words, ", ")
}
