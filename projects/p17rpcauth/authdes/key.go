package authdes

import (
	"crypto/cipher"
	"crypto/des"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
)

// KeyBytes is the size of a secret or public key: 192 bits. In text it has 48 hex digits.
const KeyBytes = 24

// SecretKey and PublicKey are numbers, most significant byte first.
type (
	SecretKey [KeyBytes]byte
	PublicKey [KeyBytes]byte
)

// NewKeys makes a pair of keys from random bytes.
func NewKeys() (PublicKey, SecretKey, error) {
	for {
		var key SecretKey
		if _, err := rand.Read(key[:]); err != nil {
			return PublicKey{}, SecretKey{}, fmt.Errorf("no random bytes for a key: %w", err)
		}
		if n := numberOf((*[KeyBytes]byte)(&key)); n == n.reduced(0) {
			return key.Public(), key, nil
		}
	}
}

// Public returns the public key that belongs to k: 3 to the power of k.
func (k *SecretKey) Public() PublicKey {
	exponent := numberOf((*[KeyBytes]byte)(k))
	public := base.power(&exponent)
	return public.bytes()
}

// Common returns the DES key that two parties share, each from its own secret key and the
// other's public one: the middle 8 bytes of the common number, the last of them first, as
// every implementation has it.
func (k *SecretKey) Common(other PublicKey) DESKey {
	n, exponent := numberOf((*[KeyBytes]byte)(&other)), numberOf((*[KeyBytes]byte)(k))
	n = n.reduced(0)
	n = n.power(&exponent)
	var key DESKey
	binary.LittleEndian.PutUint64(key[:], n[1])
	return key.withParity()
}

func (k SecretKey) String() string { return hex.EncodeToString(k[:]) }
func (k PublicKey) String() string { return hex.EncodeToString(k[:]) }

// ParseSecretKey and ParsePublicKey take 48 hex digits.
func ParseSecretKey(text string) (SecretKey, error) {
	key, err := parseKey("secret", text)
	return SecretKey(key), err
}

// ParsePublicKey takes 48 hex digits: a number between 1 and the modulus, since with any
// other the common key would be known to everybody.
func ParsePublicKey(text string) (PublicKey, error) {
	key, err := parseKey("public", text)
	if err != nil {
		return PublicKey{}, err
	}
	n, one := numberOf(&key), number{1}
	if next := n.plus(&one); n != n.reduced(0) || n == (number{}) || n == one || next == (number{}) {
		return PublicKey{}, fmt.Errorf("public key %s: not between 1 and the modulus", text)
	}
	return PublicKey(key), nil
}

func parseKey(kind, text string) (key [KeyBytes]byte, err error) {
	if len(text) != 2*KeyBytes {
		return key, fmt.Errorf("%s key: %d hex digits, want %d", kind, len(text), 2*KeyBytes)
	}
	if _, err = hex.Decode(key[:], []byte(text)); err != nil {
		err = fmt.Errorf("%s key: %w", kind, err)
	}
	return key, err
}

// DESKey is a key or a block of DES: 8 bytes, of a key each with odd parity.
type DESKey [8]byte

// NewConversationKey makes a DES key from random bytes.
func NewConversationKey() (DESKey, error) {
	var key DESKey
	if _, err := rand.Read(key[:]); err != nil {
		return key, fmt.Errorf("no random bytes for a key: %w", err)
	}
	return key.withParity(), nil
}

// withParity gives every byte odd parity in its lowest bit, and takes its highest: so does
// des_setparity of every Sun RPC, whose table has 128 entries. 48 bits are left of a key.
func (k DESKey) withParity() DESKey {
	for i, b := range k {
		b &= 0x7e
		k[i] = b | byte(bits.OnesCount8(b)+1)&1
	}
	return k
}

// Seal encrypts one block by itself (ECB).
func (k DESKey) Seal(block DESKey) DESKey { return k.cipher().seal(block) }

// Open undoes [DESKey.Seal].
func (k DESKey) Open(block DESKey) DESKey { return k.cipher().open(block) }

// cipher makes what a key that is used often should make once.
func (k DESKey) cipher() desCipher {
	c, _ := des.NewCipher(k[:])
	return desCipher{c}
}

type desCipher struct{ cipher.Block }

func (c desCipher) seal(block DESKey) DESKey {
	c.Encrypt(block[:], block[:])
	return block
}

func (c desCipher) open(block DESKey) DESKey {
	c.Decrypt(block[:], block[:])
	return block
}

// sealChained encrypts blocks, each mixed with the one before (CBC from zeros).
func (c desCipher) sealChained(blocks []DESKey) {
	var before DESKey
	for i := range blocks {
		before = c.seal(blocks[i].xor(before))
		blocks[i] = before
	}
}

// openChained undoes sealChained.
func (c desCipher) openChained(blocks []DESKey) {
	var before DESKey
	for i, sealed := range blocks {
		blocks[i] = c.open(sealed).xor(before)
		before = sealed
	}
}

func (k DESKey) xor(other DESKey) DESKey {
	for i := range k {
		k[i] ^= other[i]
	}
	return k
}
