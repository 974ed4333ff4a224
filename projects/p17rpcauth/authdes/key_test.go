package authdes_test

import (
	"encoding/hex"
	"math/bits"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/p17rpcauth/authdes"
)

func newKeys(t *testing.T) (authdes.PublicKey, authdes.SecretKey) {
	t.Helper()
	public, secret, err := authdes.NewKeys()
	require.NoError(t, err)
	return public, secret
}

func TestBothSidesGetTheSameCommonKey(t *testing.T) {
	for range 50 {
		alicePublic, alice := newKeys(t)
		bobPublic, bob := newKeys(t)
		_, eve := newKeys(t)
		common := alice.Common(bobPublic)
		assert.Equal(t, common, bob.Common(alicePublic))
		assert.NotEqual(t, common, eve.Common(bobPublic))
		for _, b := range common {
			assert.Equal(t, 1, bits.OnesCount8(b)&1, "odd parity of %x", common)
		}
	}
}

// Worked out by other means from the definition: 3^a mod m, (3^a)^b mod m, its middle bytes.
func TestKeysOfKnownNumbers(t *testing.T) {
	a, err := authdes.ParseSecretKey("0123456789abcdef0123456789abcdef0123456789abcdef")
	require.NoError(t, err)
	b, err := authdes.ParseSecretKey("00112233445566778899aabbccddeeff0011223344556677")
	require.NoError(t, err)
	assert.Equal(t, "0893b637888aaa67c2507a72dce1d4107d4523d579cbb14a", a.Public().String())
	assert.Equal(t, "cf0e944c4961f6ae60d05c3f3a3c8bd60b3cf3d29421bbe4", b.Public().String())
	common := a.Common(b.Public())
	assert.Equal(t, "07235402511c7f20", hex.EncodeToString(common[:]))
}

func TestWhatIsNoKeyIsRefused(t *testing.T) {
	zeros := strings.Repeat("0", 46)
	for name, text := range map[string]string{
		"short":              "12",
		"no hex digits":      strings.Repeat("x", 48),
		"zero":               zeros + "00",
		"one":                zeros + "01",
		"the modulus less 1": "d4a0ba0250b6fd2ec626e7efd637df76c716e22d0944b88a",
		"the modulus":        "d4a0ba0250b6fd2ec626e7efd637df76c716e22d0944b88b",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := authdes.ParsePublicKey(text)
			assert.ErrorContains(t, err, "public key")
		})
	}
	public, _ := newKeys(t)
	again, err := authdes.ParsePublicKey(public.String())
	require.NoError(t, err)
	assert.Equal(t, public, again)
}

func TestASecretKeyIsOpenedByItsPasswordAlone(t *testing.T) {
	_, secret := newKeys(t)
	for _, password := range []string{"", "x", "secret password", "naïve \x00\xff", strings.Repeat("long", 50)} {
		sealed := authdes.SealSecret(secret, password)
		opened, err := authdes.OpenSecret(sealed, password)
		require.NoError(t, err)
		assert.Equal(t, secret, opened)
		_, err = authdes.OpenSecret(sealed, "!"+password)
		assert.ErrorIs(t, err, authdes.ErrPassword)
	}
	_, err := authdes.OpenSecret("12", "")
	assert.ErrorContains(t, err, "2 hex digits, want 64")
	_, err = authdes.OpenSecret(strings.Repeat("x", 64), "")
	assert.ErrorContains(t, err, "invalid byte")
}

func TestPasswordsSealAsGlibcDoes(t *testing.T) {
	program := ipctest.CProgram(t, "testdata/glibc.c")
	for _, password := range []string{"x", "secret password", "naïve", strings.Repeat("long", 50)} {
		_, secret := newKeys(t)
		digits := secret.String() + secret.String()[:16]
		assert.Equal(t, authdes.SealSecret(secret, password),
			strings.TrimSpace(ipctest.Output(t, program, "password", password, digits)))
	}
}
