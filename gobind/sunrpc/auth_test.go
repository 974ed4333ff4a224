package sunrpc_test

import (
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
)

func TestACallerIsWhoItClaimsToBeAndWhoTheKernelSays(t *testing.T) {
	claim := sunrpc.AuthSys{Machine: "elsewhere", UID: 4321, GID: 99, GIDs: []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}
	for _, network := range []string{"tcp", "udp", "unix"} {
		t.Run(network, func(t *testing.T) {
			s := start(t, network, &calculator{apply: func(r *sunrpc.Request, op calc.Operation, a, b int32) (int32, error) {
				who, ok := r.Sys()
				assert.True(t, ok)
				assert.Equal(t, claim, who)
				assert.EqualValues(t, 1, r.Flavor())
				assert.Equal(t, calc.V2, r.Program())
				assert.EqualValues(t, calc.Subtract, r.Proc())
				assert.Nil(t, r.Identity)
				peer, ok := r.Peer()
				assert.Equal(t, network == "unix", ok)
				if ok {
					assert.EqualValues(t, os.Geteuid(), peer.UID)
					assert.Equal(t, os.Getpid(), peer.Pid)
				} else {
					assert.True(t, strings.HasPrefix(r.Remote().String(), "127.0.0.1:"), r.Remote())
				}
				assert.Equal(t, network, r.Remote().Network())
				return 0, r.Context().Err()
			}}, sunrpc.ServerOptions{})
			_, err := calc.NewClient(s.dial(t, sunrpc.Options{Auth: claim}), 2).Apply(background, calc.Subtract, 1, 1)
			assert.NoError(t, err)
		})
	}
}

func TestAClaimThatLibtirpcCannotMakeIsRefused(t *testing.T) {
	s := start(t, "tcp", &calculator{}, sunrpc.ServerOptions{})
	for name, claim := range map[string]sunrpc.AuthSys{
		"17 groups":      {GIDs: make([]uint32, 17)},
		"a long machine": {Machine: strings.Repeat("m", 256)},
	} {
		_, err := sunrpc.Dial(background, "tcp", s.addr.String(), calc.V1, sunrpc.Options{Auth: claim})
		assert.ErrorIs(t, err, unix.EINVAL, name)
	}
	me := sunrpc.CurrentUser()
	assert.EqualValues(t, os.Geteuid(), me.UID)
	assert.LessOrEqual(t, len(me.GIDs), 16)
	assert.NoError(t, s.dial(t, sunrpc.Options{Auth: me}).Null(background))
}

func TestACheckRefusesCallsBeforeTheirArgumentsAreDecoded(t *testing.T) {
	c := &calculator{}
	s := start(t, "unix", c, sunrpc.ServerOptions{Check: func(r *sunrpc.Request) error {
		switch who, _ := r.Sys(); {
		case r.Flavor() == 0:
			return sunrpc.AuthTooWeak
		case who.UID != 5:
			return sunrpc.AuthBadCred
		}
		return nil
	}})
	for _, step := range []struct {
		auth sunrpc.Auth
		want error
	}{
		{nil, sunrpc.AuthTooWeak},
		{sunrpc.AuthSys{UID: 6}, sunrpc.AuthBadCred},
		{sunrpc.AuthSys{UID: 5}, nil},
	} {
		_, err := calc.NewClient(s.dial(t, sunrpc.Options{Auth: step.auth}), 2).Apply(background, calc.Add, 1, 1)
		assert.ErrorIs(t, err, step.want)
	}
	assert.EqualValues(t, 1, c.calls.Load())
}

// counting is a flavor whose credential is a name and whose verifier counts; the
// verifier of the answer is the count and one.
type counting struct {
	name    string
	count   uint32
	refusal []sunrpc.AuthStat
	failing error
	lax     bool
}

const countingFlavor = 390_001

func (c *counting) Marshal() (cred, verf sunrpc.Opaque, err error) {
	c.count++
	return sunrpc.Opaque{Flavor: countingFlavor, Body: []byte(c.name)},
		sunrpc.Opaque{Flavor: countingFlavor, Body: binary.BigEndian.AppendUint32(nil, c.count)}, c.failing
}

var errForged = errors.New("somebody else has answered")

func (c *counting) Validate(verf sunrpc.Opaque) error {
	if verf.Flavor != countingFlavor || binary.BigEndian.Uint32(verf.Body) != c.count+1 {
		return errForged
	}
	return nil
}

func (c *counting) Refresh(why sunrpc.AuthStat) bool {
	c.refusal = append(c.refusal, why)
	c.name = strings.TrimSuffix(c.name, "?")
	return c.lax
}

// counts is the server's side. Names that end in "?" are rejected.
func counts(off uint32) sunrpc.Verifier {
	var mu sync.Mutex
	last := map[string]uint32{}
	return func(r *sunrpc.Request, cred, verf sunrpc.Opaque) (sunrpc.Opaque, sunrpc.AuthStat) {
		mu.Lock()
		defer mu.Unlock()
		name := string(cred.Body)
		if strings.HasSuffix(name, "?") {
			return sunrpc.Opaque{}, sunrpc.AuthRejectedCred
		}
		if len(verf.Body) != 4 {
			return sunrpc.Opaque{}, sunrpc.AuthBadVerf
		}
		n := binary.BigEndian.Uint32(verf.Body)
		if n <= last[name] {
			return sunrpc.Opaque{}, sunrpc.AuthRejectedVerf
		}
		last[name] = n
		r.Identity = name
		return sunrpc.Opaque{Flavor: countingFlavor, Body: binary.BigEndian.AppendUint32(nil, n+off)}, sunrpc.AuthOK
	}
}

func TestAFlavorThatLibtirpcDoesNotHaveIsPluggedIn(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		t.Run(network, func(t *testing.T) {
			var seen []any
			s := &serving{Server: sunrpc.NewServer(sunrpc.ServerOptions{})}
			calc.Handle(s.Server, &calculator{apply: func(r *sunrpc.Request, _ calc.Operation, a, b int32) (int32, error) {
				seen = append(seen, r.Identity)
				return a + b, nil
			}})
			s.Verify(countingFlavor, counts(1))
			var err error
			s.addr, err = s.Listen(network, "127.0.0.1:0")
			require.NoError(t, err)
			s.run(t)
			call := func(c *sunrpc.Client) error {
				_, err := calc.NewClient(c, 2).Apply(background, calc.Add, 1, 1)
				return err
			}

			alice := &counting{name: "alice"}
			c := s.dial(t, sunrpc.Options{Auth: sunrpc.Plugged{Authenticator: alice}})
			require.NoError(t, c.Null(background))
			require.NoError(t, call(c))
			require.NoError(t, call(s.dial(t, sunrpc.Options{})))
			alice.count = 0
			err = call(c)
			assert.ErrorIs(t, err, sunrpc.AuthRejectedVerf, "a replay")
			assert.Equal(t, []sunrpc.AuthStat{sunrpc.AuthRejectedVerf}, alice.refusal)
			alice.count = 10
			require.NoError(t, call(c), "the connection is in order")

			bob := &counting{name: "bob??", lax: true}
			require.NoError(t, call(s.dial(t, sunrpc.Options{Auth: sunrpc.Plugged{Authenticator: bob}})))
			assert.Equal(t, []sunrpc.AuthStat{sunrpc.AuthRejectedCred, sunrpc.AuthRejectedCred}, bob.refusal)
			carol := &counting{name: "carol???", lax: true}
			err = call(s.dial(t, sunrpc.Options{Auth: sunrpc.Plugged{Authenticator: carol}}))
			assert.ErrorIs(t, err, sunrpc.AuthRejectedCred, "twice is enough")

			assert.Equal(t, []any{"alice", nil, "alice", "bob"}, seen)
			assert.ErrorIs(t, s.dial(t, sunrpc.Options{Auth: sunrpc.Plugged{Authenticator: desFlavor{alice}}}).Null(background),
				sunrpc.AuthFailed, "libtirpc's own answer to a flavor it knows of and does not have")
		})
	}
}

// desFlavor is AUTH_DES by its number.
type desFlavor struct{ *counting }

func (d desFlavor) Marshal() (cred, verf sunrpc.Opaque, err error) {
	cred, verf, err = d.counting.Marshal()
	cred.Flavor, verf.Flavor = 3, 3
	return cred, verf, err
}

func TestFlavorThreeCanBePluggedIn(t *testing.T) {
	s := &serving{Server: sunrpc.NewServer(sunrpc.ServerOptions{})}
	var seen any
	calc.Handle(s.Server, &calculator{apply: func(r *sunrpc.Request, _ calc.Operation, a, b int32) (int32, error) {
		seen = r.Identity
		return a + b, nil
	}})
	s.Verify(3, counts(1))
	var err error
	s.addr, err = s.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.run(t)
	c := s.dial(t, sunrpc.Options{Auth: sunrpc.Plugged{Authenticator: desFlavor{&counting{name: "unix.7@here"}}}})
	_, err = calc.NewClient(c, 2).Apply(background, calc.Add, 1, 1)
	require.NoError(t, err)
	assert.Equal(t, "unix.7@here", seen)
}

func TestAFlavorsOwnErrorsComeBack(t *testing.T) {
	s := &serving{Server: sunrpc.NewServer(sunrpc.ServerOptions{})}
	calc.Handle(s.Server, &calculator{})
	s.Verify(countingFlavor, counts(2)) // not what clients expect
	var err error
	s.addr, err = s.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.run(t)
	forged := s.dial(t, sunrpc.Options{Auth: sunrpc.Plugged{Authenticator: &counting{name: "alice"}}}).Null(background)
	assert.ErrorIs(t, forged, sunrpc.AuthInvalidResponse)
	assert.ErrorIs(t, forged, errForged)

	noKey := errors.New("no key")
	failed := s.dial(t, sunrpc.Options{Auth: sunrpc.Plugged{Authenticator: &counting{failing: noKey}}}).Null(background)
	assert.ErrorIs(t, failed, sunrpc.CantEncodeArgs)
	assert.ErrorIs(t, failed, noKey)
	long := s.dial(t, sunrpc.Options{Auth: sunrpc.Plugged{Authenticator: &counting{name: strings.Repeat("x", 401)}}}).Null(background)
	assert.ErrorContains(t, long, "401 bytes")
}
