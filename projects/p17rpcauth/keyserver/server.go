package keyserver

import (
	"bytes"
	"encoding/hex"
	osuser "os/user"
	"strconv"
	"strings"

	"unpipc/gobind/keyserv"
	"unpipc/gobind/sunrpc"
	"unpipc/projects/p17rpcauth/authdes"
)

// server has the procedures of keyserv.x.
type server struct {
	store  *store
	public func(netname string) (authdes.PublicKey, error)
	domain string
}

// uid is the caller's: what a credential claims does not count.
func uid(r *sunrpc.Request) (uint32, error) {
	peer, ok := r.Peer()
	if !ok {
		return 0, sunrpc.AuthTooWeak
	}
	return peer.UID, nil
}

func (s *server) Set(r *sunrpc.Request, secret *keyserv.Digits) error {
	return s.keep(r, secret, nil, "")
}

func (s *server) Put(r *sunrpc.Request, secret, public *keyserv.Digits, name string) error {
	return s.keep(r, secret, public, name)
}

func (s *server) keep(r *sunrpc.Request, digits, public *keyserv.Digits, name string) error {
	who, err := uid(r)
	if err != nil {
		return err
	}
	if digits[0] == 0 {
		s.store.forget(who)
		return nil
	}
	var secret authdes.SecretKey
	defer clear(secret[:])
	if _, err := hex.Decode(secret[:], digits[:]); err != nil || secret == (authdes.SecretKey{}) {
		return keyserv.SystemError
	}
	if public != nil {
		if pair := digitsOf(secret.Public()); !bytes.EqualFold(public[:], pair[:]) {
			return keyserv.SystemError
		}
	}
	if !s.store.set(who, &secret, name) {
		return keyserv.SystemError
	}
	return nil
}

func (s *server) Get(r *sunrpc.Request, secret, public *keyserv.Digits) (name string, err error) {
	who, err := uid(r)
	if err != nil {
		return "", err
	}
	if !s.store.with(who, func(u *user) {
		hex.Encode(secret[:], u.secret[:])
		*public, name = digitsOf(u.public), u.name
	}) {
		return "", keyserv.NoSecret
	}
	return name, nil
}

func (s *server) Encrypt(r *sunrpc.Request, name string, block keyserv.Block) (keyserv.Block, error) {
	return s.crypt(r, s.named(name), authdes.DESKey.Seal, block)
}

func (s *server) Decrypt(r *sunrpc.Request, name string, block keyserv.Block) (keyserv.Block, error) {
	return s.crypt(r, s.named(name), authdes.DESKey.Open, block)
}

func (s *server) EncryptPK(r *sunrpc.Request, _ string, public []byte, block keyserv.Block) (keyserv.Block, error) {
	return s.crypt(r, given(public), authdes.DESKey.Seal, block)
}

func (s *server) DecryptPK(r *sunrpc.Request, _ string, public []byte, block keyserv.Block) (keyserv.Block, error) {
	return s.crypt(r, given(public), authdes.DESKey.Open, block)
}

func (s *server) Common(r *sunrpc.Request, public *keyserv.Digits) (keyserv.Block, error) {
	itself := func(common, _ authdes.DESKey) authdes.DESKey { return common }
	return s.crypt(r, given(public[:]), itself, keyserv.Block{})
}

// crypt does something with a block and the common key of the caller and another.
func (s *server) crypt(r *sunrpc.Request, other func() (authdes.PublicKey, error),
	do func(common, block authdes.DESKey) authdes.DESKey, block keyserv.Block) (done keyserv.Block, err error) {
	who, err := uid(r)
	if err != nil {
		return done, err
	}
	if !s.store.with(who, func(*user) {}) {
		return done, keyserv.NoSecret
	}
	public, err := other() // may read a file: not under the lock
	if err != nil {
		return done, err
	}
	if !s.store.with(who, func(u *user) {
		done = keyserv.Block(do(u.secret.Common(public), authdes.DESKey(block)))
	}) {
		return done, keyserv.NoSecret
	}
	return done, nil
}

// named is the public key that the server knows of a netname.
func (s *server) named(name string) func() (authdes.PublicKey, error) {
	return func() (authdes.PublicKey, error) {
		if s.public == nil {
			return authdes.PublicKey{}, keyserv.Unknown
		}
		public, err := s.public(name)
		if err != nil {
			return public, keyserv.Unknown
		}
		return public, nil
	}
}

// given is a public key in hex digits, behind which libraries send a zero byte.
func given(public []byte) func() (authdes.PublicKey, error) {
	return func() (authdes.PublicKey, error) {
		text, _, _ := bytes.Cut(public, []byte{0})
		key, err := authdes.ParsePublicKey(string(text))
		if err != nil {
			return key, keyserv.SystemError
		}
		return key, nil
	}
}

func (s *server) Generate(*sunrpc.Request) (keyserv.Block, error) {
	key, err := authdes.NewConversationKey()
	return keyserv.Block(key), err
}

// Credential knows the users of this host by names like unix.1000@domain.
func (s *server) Credential(_ *sunrpc.Request, name string) (c keyserv.Credential, err error) {
	number, ok := strings.CutPrefix(name, "unix.")
	number, ofHere := strings.CutSuffix(number, "@"+s.domain)
	if _, err := strconv.ParseUint(number, 10, 32); err != nil || !ok || !ofHere || s.domain == "" {
		return c, keyserv.Unknown
	}
	u, err := osuser.LookupId(number)
	if err != nil {
		return c, keyserv.Unknown
	}
	groups, err := u.GroupIds()
	if err != nil {
		return c, keyserv.SystemError
	}
	for _, g := range append([]string{u.Uid, u.Gid}, groups...) {
		id, err := strconv.ParseUint(g, 10, 32)
		if err != nil {
			return c, keyserv.SystemError
		}
		c.GIDs = append(c.GIDs, uint32(id))
	}
	c.UID, c.GID, c.GIDs = c.GIDs[0], c.GIDs[1], c.GIDs[2:]
	c.GIDs = c.GIDs[:min(len(c.GIDs), keyserv.MaxGroups)]
	return c, nil
}

func digitsOf(key authdes.PublicKey) (d keyserv.Digits) {
	hex.Encode(d[:], key[:])
	return d
}
