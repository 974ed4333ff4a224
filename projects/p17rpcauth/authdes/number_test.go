package authdes

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNumbersAreThoseOfMathBig(t *testing.T) {
	m, ok := new(big.Int).SetString("d4a0ba0250b6fd2ec626e7efd637df76c716e22d0944b88b", 16)
	require.True(t, ok)
	rng := rand.New(rand.NewPCG(1, 2))
	bytes := func() (b [KeyBytes]byte) {
		switch rng.IntN(8) {
		case 0: // the least
			b[KeyBytes-1] = byte(rng.IntN(3))
		case 1: // near the modulus
			new(big.Int).Add(m, big.NewInt(int64(rng.IntN(5)-2))).FillBytes(b[:])
		case 2: // the greatest
			for i := range b {
				b[i] = 255
			}
		default:
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
		}
		return b
	}
	same := func(want *big.Int, got number, what string) {
		t.Helper()
		b := got.bytes()
		require.Equal(t, want.Text(16), new(big.Int).SetBytes(b[:]).Text(16), what)
	}
	for range 500 {
		ab, bb := bytes(), bytes()
		x, y := new(big.Int).SetBytes(ab[:]), new(big.Int).SetBytes(bb[:])
		wide, exponent := numberOf(&ab), numberOf(&bb)
		assert.Equal(t, ab, wide.bytes())
		a, b := wide.reduced(0), exponent.reduced(0)
		same(new(big.Int).Mod(x, m), a, "reduced")
		same(new(big.Int).Mod(new(big.Int).Add(x, y), m), a.plus(&b), "sum")
		scaled := a.times(&scale2)
		same(new(big.Int).Mod(new(big.Int).Mul(x, y), m), scaled.times(&b), "product")
	}
	for range 20 {
		ab, bb := bytes(), bytes()
		x, y := new(big.Int).SetBytes(ab[:]), new(big.Int).SetBytes(bb[:])
		wide, exponent := numberOf(&ab), numberOf(&bb)
		a := wide.reduced(0)
		same(new(big.Int).Exp(x, y, m), a.power(&exponent), "power")
	}
}

func TestTheCommonKeyIsMadeWithoutTheHeap(t *testing.T) {
	public, _, err := NewKeys()
	require.NoError(t, err)
	_, secret, err := NewKeys()
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(3, func() { secret.Common(public) }))
	assert.Zero(t, testing.AllocsPerRun(3, func() { secret.Public() }))
}

func BenchmarkCommon(b *testing.B) {
	public, secret, err := NewKeys()
	require.NoError(b, err)
	for b.Loop() {
		secret.Common(public)
	}
}
