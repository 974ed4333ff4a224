package authdes_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/p17rpcauth/authdes"
)

const (
	alice = "unix.1000@example.org"
	bob   = "unix.server@example.org"
)

// clock is a time that a test sets.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// world is a client and a server that know one another's public keys.
type world struct {
	clientClock, serverClock clock
	clientKeys, serverKeys   authdes.KeyRing
	client                   *authdes.Client
	server                   *authdes.Server
}

const window = 60 * time.Second

func newWorld(t *testing.T) *world {
	t.Helper()
	start := time.Unix(1_700_000_000, 999_999_000)
	w := &world{clientClock: clock{start}, serverClock: clock{start}}
	publics := map[string]authdes.PublicKey{}
	lookup := func(name string) (authdes.PublicKey, error) {
		if public, ok := publics[name]; ok {
			return public, nil
		}
		return authdes.PublicKey{}, errors.New("not in the map")
	}
	for name, ring := range map[string]*authdes.KeyRing{alice: &w.clientKeys, bob: &w.serverKeys} {
		public, secret := newKeys(t)
		publics[name] = public
		*ring = authdes.KeyRing{Secret: secret, Public: lookup}
	}
	w.restart(10)
	w.client = w.newClient(t)
	return w
}

func (w *world) restart(conversations int) {
	w.server = authdes.NewServer(w.serverKeys, conversations, time.Hour, w.serverClock.now)
}

func (w *world) newClient(t *testing.T) *authdes.Client {
	t.Helper()
	client, err := authdes.NewClient(alice, bob, w.clientKeys, window, w.clientClock.now)
	require.NoError(t, err)
	return client
}

func (w *world) call(t *testing.T, client *authdes.Client) {
	t.Helper()
	cred, verf := client.Marshal()
	name, reply, err := w.server.Verify(cred, verf)
	require.NoError(t, err)
	assert.Equal(t, alice, name)
	require.NoError(t, client.Validate(reply))
}

func refused(t *testing.T, why authdes.Why, what string, err error) {
	t.Helper()
	var refusal *authdes.Refused
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, why, refusal.Why, "%v", err)
	assert.ErrorContains(t, err, what)
}

func TestTheFirstCallGivesTheFullNameAndLaterOnesTheNickname(t *testing.T) {
	w := newWorld(t)
	for i := range 5 { // all at the same time by the clock
		cred, _ := w.client.Marshal()
		assert.Equal(t, i > 0, len(cred) == 8, "call %d", i)
		w.call(t, w.client)
	}
}

func TestACallIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, w *world) (cred, verf []byte)
		why  authdes.Why
		what string
	}{
		{"seen before", func(t *testing.T, w *world) ([]byte, []byte) {
			cred, verf := w.client.Marshal()
			_, _, err := w.server.Verify(cred, verf)
			require.NoError(t, err)
			return cred, verf
		}, authdes.RejectedVerifier, "seen before"},
		{"with a nickname and seen before", func(t *testing.T, w *world) ([]byte, []byte) {
			w.call(t, w.client)
			cred, verf := w.client.Marshal()
			_, _, err := w.server.Verify(cred, verf)
			require.NoError(t, err)
			return cred, verf
		}, authdes.RejectedVerifier, "seen before"},
		{"older than its window", func(t *testing.T, w *world) ([]byte, []byte) {
			w.serverClock.at = w.serverClock.at.Add(window + time.Microsecond)
			return w.client.Marshal()
		}, authdes.RejectedVerifier, "1m0s old"},
		{"with a nickname and older than its window", func(t *testing.T, w *world) ([]byte, []byte) {
			w.call(t, w.client)
			w.serverClock.at = w.serverClock.at.Add(2 * window)
			return w.client.Marshal()
		}, authdes.RejectedVerifier, "2m0s old"},
		{"from ahead of its window", func(t *testing.T, w *world) ([]byte, []byte) {
			w.serverClock.at = w.serverClock.at.Add(-2 * window)
			return w.client.Marshal()
		}, authdes.RejectedVerifier, "2m0s ahead"},
		{"older than the server's own window, whatever the client says", func(t *testing.T, w *world) ([]byte, []byte) {
			client, err := authdes.NewClient(alice, bob, w.clientKeys, 1000*time.Hour, w.clientClock.now)
			require.NoError(t, err)
			w.serverClock.at = w.serverClock.at.Add(2 * time.Hour)
			return client.Marshal()
		}, authdes.RejectedVerifier, "its window is 1h0m0s"},
		{"by one who has not the secret key of that name", func(t *testing.T, w *world) ([]byte, []byte) {
			_, eve := newKeys(t)
			keys := authdes.KeyRing{Secret: eve, Public: w.clientKeys.Public}
			client, err := authdes.NewClient(alice, bob, keys, window, w.clientClock.now)
			require.NoError(t, err)
			return client.Marshal()
		}, authdes.BadCredential, "not sealed with this caller's key"},
		{"by one whom nobody knows", func(t *testing.T, w *world) ([]byte, []byte) {
			client, err := authdes.NewClient("unix.666@nowhere", bob, w.clientKeys, window, w.clientClock.now)
			require.NoError(t, err)
			return client.Marshal()
		}, authdes.BadCredential, "not in the map"},
		{"with a nickname that the server has not given", func(t *testing.T, w *world) ([]byte, []byte) {
			w.call(t, w.client)
			w.restart(10)
			return w.client.Marshal()
		}, authdes.RejectedCredential, "is not known here"},
		{"with another client's nickname", func(t *testing.T, w *world) ([]byte, []byte) {
			w.call(t, w.client)
			other := w.newClient(t)
			w.call(t, other)
			cred, _ := w.client.Marshal()
			_, verf := other.Marshal()
			return cred, verf
		}, 0, ""}, // BadVerifier, or by chance RejectedVerifier
		{"with a credential cut short", func(t *testing.T, w *world) ([]byte, []byte) {
			cred, verf := w.client.Marshal()
			return cred[:len(cred)-1], verf
		}, authdes.BadCredential, "malformed"},
		{"with a verifier cut short", func(t *testing.T, w *world) ([]byte, []byte) {
			cred, verf := w.client.Marshal()
			return cred, verf[:11]
		}, authdes.BadVerifier, "malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			cred, verf := c.make(t, w)
			name, reply, err := w.server.Verify(cred, verf)
			assert.Empty(t, name)
			assert.Empty(t, reply)
			if c.why == 0 {
				var refusal *authdes.Refused
				require.ErrorAs(t, err, &refusal)
				return
			}
			refused(t, c.why, c.what, err)
		})
	}
}

func TestEveryBitOfTheFirstCallCounts(t *testing.T) {
	w := newWorld(t)
	cred, verf := w.client.Marshal()
	for i := range 8 * (len(cred) + len(verf)) {
		both := append(append([]byte{}, cred...), verf...)
		both[i/8] ^= 1 << (i % 8)
		_, _, err := w.server.Verify(both[:len(cred)], both[len(cred):])
		assert.Error(t, err, "bit %d of %d", i, 8*len(both))
	}
}

func TestAServerThatWasStartedAgainIsMetByARefresh(t *testing.T) {
	w := newWorld(t)
	w.call(t, w.client)
	w.restart(10)
	_, _, err := w.server.Verify(w.client.Marshal())
	refused(t, authdes.RejectedCredential, "nickname", err)
	assert.True(t, w.client.Refresh())
	w.call(t, w.client)
	w.call(t, w.client)
	w.client.Refresh()
	assert.False(t, w.client.Refresh(), "there is nothing else to try")
	w.call(t, w.client)
}

func TestAReplyThatIsNotTheServersIsFoundOut(t *testing.T) {
	w := newWorld(t)
	first, verf := w.client.Marshal()
	_, reply, err := w.server.Verify(first, verf)
	require.NoError(t, err)
	assert.ErrorIs(t, w.client.Validate(nil), authdes.ErrServer)
	assert.ErrorIs(t, w.client.Validate(verf), authdes.ErrServer, "an echo")
	forged := append([]byte{}, reply...)
	forged[0] ^= 1
	assert.ErrorIs(t, w.client.Validate(forged), authdes.ErrServer)
	require.NoError(t, w.client.Validate(reply))
	w.client.Marshal()
	assert.ErrorIs(t, w.client.Validate(reply), authdes.ErrServer, "the reply to an earlier call")
}

func TestTheConversationsUsedLastAreRemembered(t *testing.T) {
	w := newWorld(t)
	w.restart(2)
	a, b, c := w.newClient(t), w.newClient(t), w.newClient(t)
	w.call(t, a)
	w.call(t, b)
	w.call(t, a)
	w.call(t, c) // in the place of b
	w.call(t, a)
	_, _, err := w.server.Verify(b.Marshal())
	refused(t, authdes.RejectedCredential, "nickname", err)
	b.Refresh()
	w.call(t, b)
}

func TestManyClientsAtOnce(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	for range 8 {
		client := w.newClient(t)
		all.Go(func() {
			for range 100 {
				cred, verf := client.Marshal()
				_, reply, err := w.server.Verify(cred, verf)
				if !assert.NoError(t, err) || !assert.NoError(t, client.Validate(reply)) {
					return
				}
			}
		})
	}
	all.Wait()
}

func TestAClientIsNotMadeOf(t *testing.T) {
	w := newWorld(t)
	for what, make := range map[string]func() (*authdes.Client, error){
		"netname of 0 bytes": func() (*authdes.Client, error) {
			return authdes.NewClient("", bob, w.clientKeys, window, time.Now)
		},
		"netname of 256 bytes": func() (*authdes.Client, error) {
			return authdes.NewClient(strings.Repeat("x", 256), bob, w.clientKeys, window, time.Now)
		},
		"window of 1ms": func() (*authdes.Client, error) {
			return authdes.NewClient(alice, bob, w.clientKeys, time.Millisecond, time.Now)
		},
		"public key of nobody": func() (*authdes.Client, error) {
			return authdes.NewClient(alice, "nobody", w.clientKeys, window, time.Now)
		},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := make()
			assert.ErrorContains(t, err, what)
		})
	}
}

// fixed is a [authdes.Keys] with one common key.
type fixed struct{ common authdes.DESKey }

func (f fixed) Seal(_ string, key authdes.DESKey) (authdes.DESKey, error) {
	return f.common.Seal(key), nil
}
func (f fixed) Open(_ string, key authdes.DESKey) (authdes.DESKey, error) {
	return f.common.Open(key), nil
}

// startGlibc starts glibc's client, which speaks to bob in a conversation of 60 seconds: its
// first line has its netname, the key of the conversation, and that key sealed.
func startGlibc(t *testing.T, keys fixed) (peer *ipctest.Peer, netname string, key, sealed authdes.DESKey) {
	t.Helper()
	peer = ipctest.Start(t, exec.Command(ipctest.CProgram(t, "testdata/glibc.c"),
		"client", bob, hex.EncodeToString(keys.common[:]), "60"))
	var digits [2]string
	_, err := fmt.Sscan(peer.Line(), &netname, &digits[0], &digits[1])
	require.NoError(t, err)
	return peer, netname, authdes.DESKey(unhex(t, digits[0])), authdes.DESKey(unhex(t, digits[1]))
}

// What glibc's client says is understood, and it believes the replies.
func TestGlibcsClientTalksWithThisServer(t *testing.T) {
	keys := fixed{authdes.PasswordKey("any")}
	peer, name, key, sealed := startGlibc(t, keys)
	assert.Contains(t, name, "unix.")
	assert.Equal(t, sealed, keys.common.Seal(key))
	server := authdes.NewServer(keys, 10, time.Hour, time.Now)
	call := func(full bool) {
		t.Helper()
		peer.Tell("marshal")
		cred, verf, ok := strings.Cut(peer.Line(), " ")
		require.True(t, ok)
		assert.Equal(t, full, len(cred) > 16)
		who, reply, err := server.Verify(unhex(t, cred), unhex(t, verf))
		require.NoError(t, err)
		assert.Equal(t, name, who)
		reply[0] ^= 1
		peer.Tell("validate %x", reply)
		assert.Equal(t, "0", peer.Line())
		reply[0] ^= 1
		peer.Tell("validate %x", reply)
		assert.Equal(t, "1", peer.Line())
	}
	call(true)
	call(false)
	call(false)
	peer.Tell("refresh")
	assert.Equal(t, "1", peer.Line())
	call(true)
	assert.Empty(t, peer.Rest())
}

// Bytes that glibc's client has made: this client makes the same at the same time.
func TestThisClientSaysWhatGlibcsSays(t *testing.T) {
	keys := fixed{authdes.PasswordKey("any")}
	peer, name, conversation, _ := startGlibc(t, keys)
	peer.Tell("marshal")
	cred, verf, _ := strings.Cut(peer.Line(), " ")
	at := authdes.TimeIn(conversation, unhex(t, verf))
	client := authdes.NewClientWith(conversation, name, keys, 60, func() time.Time { return at })
	ourCred, ourVerf := client.Marshal()
	assert.Equal(t, cred, hex.EncodeToString(ourCred))
	assert.Equal(t, verf, hex.EncodeToString(ourVerf))
}

func unhex(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(digits)
	require.NoError(t, err)
	return b
}

func FuzzVerify(f *testing.F) {
	keys := fixed{authdes.PasswordKey("any")}
	client, err := authdes.NewClient(alice, bob, keys, window, time.Now)
	require.NoError(f, err)
	cred, verf := client.Marshal()
	f.Add(cred, verf)
	f.Add([]byte("\x00\x00\x00\x01\x00\x00\x00\x07"), verf)
	f.Add([]byte("\x00\x00\x00\x00\xff\xff\xff\xff"), verf)
	f.Add([]byte{}, []byte{})
	server := authdes.NewServer(keys, 10, time.Hour, time.Now)
	f.Fuzz(func(t *testing.T, cred, verf []byte) {
		name, reply, err := server.Verify(cred, verf)
		if err == nil {
			assert.NotEmpty(t, name)
			assert.Len(t, reply, 12)
		}
	})
}
