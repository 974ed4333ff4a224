package authdes

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// ErrPassword tells that a secret key was not sealed with this password.
var ErrPassword = errors.New("wrong password")

// checkDigits of the secret key are sealed a second time behind it, so that a wrong
// password shows.
const checkDigits = 16

// PasswordKey makes a DES key of a password, of 6 bits of each of its first 8 bytes: see
// xcrypt(3), passwd2des.
func PasswordKey(password string) DESKey {
	var key DESKey
	for i := range min(len(password), len(key)) {
		key[i] = password[i] << 1
	}
	return key.withParity()
}

// SealSecret encrypts a secret key with a password for a public key file: 64 hex digits.
func SealSecret(secret SecretKey, password string) string {
	digits := secret.String()
	blocks := blocksOf(digits + digits[:checkDigits])
	PasswordKey(password).cipher().sealChained(blocks)
	return digitsOf(blocks)
}

// OpenSecret undoes [SealSecret]. Error: [ErrPassword], and others for what is not 64 hex
// digits.
func OpenSecret(sealed, password string) (SecretKey, error) {
	if len(sealed) != 2*KeyBytes+checkDigits {
		return SecretKey{}, fmt.Errorf("sealed secret key: %d hex digits, want %d", len(sealed), 2*KeyBytes+checkDigits)
	}
	if _, err := hex.DecodeString(sealed); err != nil {
		return SecretKey{}, fmt.Errorf("sealed secret key: %w", err)
	}
	blocks := blocksOf(sealed)
	PasswordKey(password).cipher().openChained(blocks)
	digits := digitsOf(blocks)
	secret, check := digits[:2*KeyBytes], digits[2*KeyBytes:]
	if !strings.HasPrefix(secret, check) {
		return SecretKey{}, ErrPassword
	}
	return ParseSecretKey(secret)
}

func blocksOf(digits string) []DESKey {
	blocks := make([]DESKey, len(digits)/16)
	for i := range blocks {
		_, _ = hex.Decode(blocks[i][:], []byte(digits[16*i:16*i+16]))
	}
	return blocks
}

func digitsOf(blocks []DESKey) string {
	var digits strings.Builder
	for _, b := range blocks {
		digits.WriteString(hex.EncodeToString(b[:]))
	}
	return digits.String()
}
