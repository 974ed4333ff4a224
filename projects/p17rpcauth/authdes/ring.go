package authdes

import "fmt"

// Keys seals conversation keys with the common key of its owner and a peer, who is named
// by a netname, such as unix.1000@example.org. Errors: the peer is not known, or the
// owner has no secret key.
type Keys interface {
	Seal(peer string, conversation DESKey) (DESKey, error)
	Open(peer string, sealed DESKey) (DESKey, error)
}

// KeyRing is a [Keys] with the secret key in this process.
type KeyRing struct {
	Secret SecretKey
	Public func(netname string) (PublicKey, error) // of whom it may be asked
}

// Seal encrypts a conversation key for a peer.
func (r KeyRing) Seal(peer string, conversation DESKey) (DESKey, error) {
	common, err := r.common(peer)
	return common.Seal(conversation), err
}

// Open decrypts a conversation key that a peer has sealed.
func (r KeyRing) Open(peer string, sealed DESKey) (DESKey, error) {
	common, err := r.common(peer)
	return common.Open(sealed), err
}

func (r KeyRing) common(peer string) (DESKey, error) {
	public, err := r.Public(peer)
	if err != nil {
		return DESKey{}, fmt.Errorf("public key of %s: %w", peer, err)
	}
	return r.Secret.Common(public), nil
}
