package keyserver

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/keyserv"
	"unpipc/gobind/sunrpc"
	"unpipc/projects/p17rpcauth/authdes"
)

// patience is how long a key server may take for an answer.
const patience = 5 * time.Second

// Keys is an [authdes.Keys] whose secret key is at the key server of a socket.
type Keys struct {
	Socket string
	Public func(netname string) (authdes.PublicKey, error)
}

// Seal has a conversation key encrypted for a peer.
func (k Keys) Seal(peer string, conversation authdes.DESKey) (authdes.DESKey, error) {
	return k.crypt((*keyserv.Client).EncryptPK, peer, conversation)
}

// Open has a conversation key decrypted that a peer has sealed.
func (k Keys) Open(peer string, sealed authdes.DESKey) (authdes.DESKey, error) {
	return k.crypt((*keyserv.Client).DecryptPK, peer, sealed)
}

func (k Keys) crypt(crypt func(*keyserv.Client, context.Context, string, []byte, keyserv.Block) (keyserv.Block, error),
	peer string, block authdes.DESKey) (done authdes.DESKey, err error) {
	public, err := k.Public(peer)
	if err != nil {
		return done, err
	}
	err = ask(k.Socket, func(ctx context.Context, c *keyserv.Client) error {
		b, err := crypt(c, ctx, peer, []byte(public.String()), keyserv.Block(block))
		done = authdes.DESKey(b)
		return err
	})
	return done, err
}

// Login gives a key server the caller's keys and netname.
func Login(socket string, secret *authdes.SecretKey, name string) error {
	var text keyserv.Digits
	defer clear(text[:])
	hex.Encode(text[:], secret[:])
	public := digitsOf(secret.Public())
	return ask(socket, func(ctx context.Context, c *keyserv.Client) error {
		return c.Put(ctx, &text, &public, name)
	})
}

// Logout has it forget them.
func Logout(socket string) error {
	return ask(socket, func(ctx context.Context, c *keyserv.Client) error { return c.Set(ctx, new(keyserv.Digits)) })
}

// ask makes a call over a connection of its own: a key server may be started again at any
// time.
func ask(socket string, call func(context.Context, *keyserv.Client) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := sunrpc.Dial(ctx, "unix", socket, keyserv.V2, sunrpc.Options{Timeout: patience})
	if err != nil {
		var errno unix.Errno
		if errors.As(err, &errno) {
			err = errno
		}
		return fmt.Errorf("%s: no key server there: %w", socket, err)
	}
	if err = errors.Join(call(ctx, keyserv.NewClient(c)), c.Close()); err != nil {
		return fmt.Errorf("%s: %w", socket, err)
	}
	return nil
}
