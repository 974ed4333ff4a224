package keyserver

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/keyserv"
	"unpipc/gobind/sunrpc"
	"unpipc/gobind/sunrpc/servetest"
	"unpipc/projects/p17rpcauth/authdes"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

var background = context.Background()

func opened(t *testing.T) *store {
	t.Helper()
	s, err := newStore()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.close()) })
	return s
}

func newKeys(t *testing.T) (authdes.PublicKey, authdes.SecretKey) {
	t.Helper()
	public, secret, err := authdes.NewKeys()
	require.NoError(t, err)
	return public, secret
}

func TestSecretKeysAreInMemoryOfTheirOwn(t *testing.T) {
	s := opened(t)
	maps, err := os.Open("/proc/self/smaps")
	require.NoError(t, err)
	defer maps.Close()
	start := strings.TrimPrefix(fmt.Sprintf("%p-", &s.memory[0]), "0x")
	lines := bufio.NewScanner(maps)
	for found := false; lines.Scan(); {
		found = found || strings.HasPrefix(lines.Text(), start)
		if flags, ok := strings.CutPrefix(lines.Text(), "VmFlags:"); ok && found {
			for flag, what := range map[string]string{" lo ": "locked", " dd ": "not dumped", " dc ": "not inherited"} {
				assert.Contains(t, flags+" ", flag, what)
			}
			return
		}
	}
	t.Fatal("no such mapping")
}

func TestAForgottenKeyIsWiped(t *testing.T) {
	s := opened(t)
	_, secret := newKeys(t)
	require.True(t, s.set(7, &secret, "ann@here"))
	assert.Contains(t, string(s.memory), string(secret[:]))
	s.forget(7)
	s.forget(7)
	assert.Equal(t, make([]byte, len(s.memory)), s.memory)
	assert.False(t, s.with(7, func(*user) { t.Error("there is none") }))
}

func TestAFullStoreTakesNobodyElse(t *testing.T) {
	s := opened(t)
	_, secret := newKeys(t)
	for uid := range uint32(maxUsers) {
		require.True(t, s.set(uid, &secret, ""))
	}
	assert.False(t, s.set(maxUsers, &secret, ""))
	_, other := newKeys(t)
	assert.True(t, s.set(3, &other, ""), "in the place of his own")
	s.forget(0)
	assert.True(t, s.set(maxUsers, &secret, ""))
	s.with(3, func(u *user) { assert.Equal(t, other, *u.secret) })
	s.with(4, func(u *user) { assert.Equal(t, secret, *u.secret) })
}

// start serves at a socket, with a client and its path.
func start(t *testing.T, s *server) (*keyserv.Client, string) {
	t.Helper()
	served := sunrpc.NewServer(sunrpc.ServerOptions{MaxRecord: maxRecord})
	for _, service := range keyserv.Services(s) {
		served.Handle(service)
	}
	addr := servetest.Start(t, served, "unix")
	return keyserv.NewClient(servetest.Dial(t, addr, keyserv.V2)), addr.String()
}

func text(key [authdes.KeyBytes]byte) (d keyserv.Digits) {
	hex.Encode(d[:], key[:])
	return d
}

func TestAKeyServerSealsAsItsUserWould(t *testing.T) {
	annsPublic, anns := newKeys(t)
	bobsPublic, bobs := newKeys(t)
	public := func(name string) (authdes.PublicKey, error) {
		if name != "bob@here" {
			return authdes.PublicKey{}, errors.New("no such name")
		}
		return bobsPublic, nil
	}
	ring := authdes.KeyRing{Secret: anns, Public: public}
	c, socket := start(t, &server{store: opened(t), public: public})
	require.NoError(t, Login(socket, &anns, "ann@here"))
	conversation, err := authdes.NewConversationKey()
	require.NoError(t, err)
	want, err := ring.Seal("bob@here", conversation)
	require.NoError(t, err)

	got, err := Keys{socket, public}.Seal("bob@here", conversation)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	got, err = Keys{socket, public}.Open("bob@here", want)
	require.NoError(t, err)
	assert.Equal(t, conversation, got)
	_, err = Keys{socket, public}.Seal("eve@here", conversation)
	assert.ErrorContains(t, err, "no such name")

	block, err := c.Encrypt(background, "bob@here", keyserv.Block(conversation))
	require.NoError(t, err)
	assert.EqualValues(t, want, block)
	block, err = c.Decrypt(background, "bob@here", block)
	require.NoError(t, err)
	assert.EqualValues(t, conversation, block)
	_, err = c.Encrypt(background, "eve@here", block)
	assert.Equal(t, keyserv.Unknown, err)

	digits := text(bobsPublic)
	block, err = c.Common(background, &digits)
	require.NoError(t, err)
	assert.EqualValues(t, bobs.Common(annsPublic), block)
	block, err = c.EncryptPK(background, "", append(digits[:], 0), keyserv.Block(conversation))
	require.NoError(t, err)
	assert.EqualValues(t, want, block, "with a zero byte behind, as libraries send it")

	var secretBack, publicBack keyserv.Digits
	name, err := c.Get(background, &secretBack, &publicBack)
	require.NoError(t, err)
	assert.Equal(t, "ann@here", name)
	assert.Equal(t, []keyserv.Digits{text(anns), text(annsPublic)}, []keyserv.Digits{secretBack, publicBack})

	require.NoError(t, Logout(socket))
	_, err = c.Common(background, &digits)
	assert.Equal(t, keyserv.NoSecret, err)
	_, err = c.Get(background, &secretBack, &publicBack)
	assert.Equal(t, keyserv.NoSecret, err)
	_, err = c.Encrypt(background, "eve@here", block)
	assert.Equal(t, keyserv.NoSecret, err, "before it is looked for whom")
}

func TestWhatIsNoKeyIsNotKept(t *testing.T) {
	public, secret := newKeys(t)
	otherPublic, _ := newKeys(t)
	c, _ := start(t, &server{store: opened(t)})
	digits := text(secret)
	require.NoError(t, c.Set(background, &digits))
	noDigits, zeros, pair, other := digits, text([authdes.KeyBytes]byte{}), text(public), text(otherPublic)
	noDigits[20] = 'g'
	assert.Equal(t, keyserv.SystemError, c.Set(background, &noDigits))
	assert.Equal(t, keyserv.SystemError, c.Set(background, &zeros))
	assert.Equal(t, keyserv.SystemError, c.Put(background, &digits, &other, "ann@here"), "no pair")
	name, err := c.Get(background, new(keyserv.Digits), new(keyserv.Digits))
	require.NoError(t, err, "the one before is still there")
	assert.Empty(t, name)
	require.NoError(t, c.Put(background, &digits, &pair, "ann@here"))

	for _, bad := range []string{"", "12", strings.Repeat("0", 48), strings.Repeat("f", 48), strings.Repeat("g", 48), string(pair[:]) + "1"} {
		_, err := c.EncryptPK(background, "", []byte(bad), keyserv.Block{})
		assert.Equal(t, keyserv.SystemError, err, "%q", bad)
	}
	_, err = c.Encrypt(background, "ann@here", keyserv.Block{})
	assert.Equal(t, keyserv.Unknown, err, "the server has no key map")
}

func TestAGeneratedKeyIsADESKey(t *testing.T) {
	c, _ := start(t, &server{store: opened(t)})
	seen := map[keyserv.Block]bool{}
	for range 20 {
		key, err := c.Generate(background)
		require.NoError(t, err)
		assert.False(t, seen[key])
		seen[key] = true
		for _, b := range key {
			ones := 0
			for ; b != 0; b &= b - 1 {
				ones++
			}
			assert.Equal(t, 1, ones%2, "odd parity")
		}
	}
}

func TestANetnameIsAUserOfThisHostOrUnknown(t *testing.T) {
	c, _ := start(t, &server{store: opened(t), domain: "here"})
	root, err := c.Credential(background, "unix.0@here")
	require.NoError(t, err)
	assert.Zero(t, root.UID)
	assert.Zero(t, root.GID)
	for _, name := range []string{"", "unix.0@there", "unix.0", "root@here", "unix.root@here", "unix.-1@here", "unix.4294967296@here", "unix.@here", "unix.4000000001@here"} {
		_, err := c.Credential(background, name)
		assert.Equal(t, keyserv.Unknown, err, name)
	}
	c, _ = start(t, &server{store: opened(t)})
	_, err = c.Credential(background, "unix.0@")
	assert.Equal(t, keyserv.Unknown, err, "a host without a domain has no netnames")
}

func TestWhoIsNotOfThisHostIsRefused(t *testing.T) {
	served := sunrpc.NewServer(sunrpc.ServerOptions{})
	for _, service := range keyserv.Services(&server{store: opened(t)}) {
		served.Handle(service)
	}
	c := keyserv.NewClient(servetest.Dial(t, servetest.Start(t, served, "tcp"), keyserv.V2))
	digits := text([authdes.KeyBytes]byte{1})
	assert.ErrorIs(t, c.Set(background, &digits), sunrpc.AuthTooWeak)
	_, err := c.Get(background, &digits, &digits)
	assert.ErrorIs(t, err, sunrpc.AuthTooWeak)
	_, err = c.Common(background, &digits)
	assert.ErrorIs(t, err, sunrpc.AuthTooWeak)
}

func TestAKeyServerThatIsNotThereIsSaidSo(t *testing.T) {
	err := Logout(t.TempDir() + "/none")
	assert.ErrorIs(t, err, unix.ENOENT)
	assert.ErrorContains(t, err, "/none: no key server there")
}
