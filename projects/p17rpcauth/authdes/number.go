package authdes

import (
	"encoding/binary"
	"math/bits"
)

// number has 192 bits, the least significant word first. What is done with it takes the
// same steps whatever its value, and none of it is on the heap, where a secret would stay.
type number [3]uint64

// modulus is that of all keys, a prime whose half is one, too.
var modulus = number{0xc716e22d0944b88b, 0xc626e7efd637df76, 0xd4a0ba0250b6fd2e}

// base is what a public key is a power of.
var base = number{3}

func numberOf(key *[KeyBytes]byte) number {
	be := binary.BigEndian
	return number{be.Uint64(key[16:]), be.Uint64(key[8:]), be.Uint64(key[:])}
}

func (n *number) bytes() (key [KeyBytes]byte) {
	for i, word := range n {
		binary.BigEndian.PutUint64(key[16-8*i:], word)
	}
	return key
}

// choose is a if which is 1, b if it is 0.
func choose(which uint64, a, b *number) (n number) {
	for i := range n {
		n[i] = a[i]&-which | b[i]&(which-1)
	}
	return n
}

// reduced is n modulo the modulus, which is more than half of all numbers; above is a bit
// that n has no room for.
func (n *number) reduced(above uint64) number {
	var less number
	var borrow uint64
	for i := range less {
		less[i], borrow = bits.Sub64(n[i], modulus[i], borrow)
	}
	_, borrow = bits.Sub64(above, 0, borrow)
	return choose(borrow, n, &less)
}

func (n *number) plus(other *number) number {
	var sum number
	var carry uint64
	for i := range sum {
		sum[i], carry = bits.Add64(n[i], other[i], carry)
	}
	return sum.reduced(carry)
}

// reduce is -1/modulus modulo 2^64; scale is 2^192 modulo the modulus, and scale2 its square.
var (
	reduce        = inverse()
	scale, scale2 = scales()
)

func inverse() uint64 {
	x := modulus[0] // right in 3 bits, and each step doubles them
	for range 5 {
		x *= 2 - modulus[0]*x
	}
	return -x
}

func scales() (scale, scale2 number) {
	n := number{1}
	for range 192 {
		n = n.plus(&n)
	}
	scale = n
	for range 192 {
		n = n.plus(&n)
	}
	return scale, n
}

// times is n·other / 2^192: Montgomery's product. Both are less than the modulus.
func (n *number) times(other *number) number {
	var t [4]uint64
	for _, a := range n {
		var carry, top uint64
		for i, b := range other {
			t[i], carry = multiplyAdd(a, b, t[i], carry)
		}
		t[3], top = bits.Add64(t[3], carry, 0)
		q := t[0] * reduce // makes the lowest word 0, which is dropped
		_, carry = multiplyAdd(q, modulus[0], t[0], 0)
		t[0], carry = multiplyAdd(q, modulus[1], t[1], carry)
		t[1], carry = multiplyAdd(q, modulus[2], t[2], carry)
		t[2], carry = bits.Add64(t[3], carry, 0)
		t[3] = top + carry
	}
	product := number(t[:3])
	return product.reduced(t[3])
}

// multiplyAdd is a·b + c + d, which fits into two words.
func multiplyAdd(a, b, c, d uint64) (low, high uint64) {
	high, low = bits.Mul64(a, b)
	low, carry := bits.Add64(low, c, 0)
	high += carry
	low, carry = bits.Add64(low, d, 0)
	return low, high + carry
}

func (n *number) power(exponent *number) number {
	factor, power := n.times(&scale2), scale // n and 1, each times 2^192
	for i := 191; i >= 0; i-- {
		power = power.times(&power)
		more := power.times(&factor)
		power = choose(exponent[i/64]>>(i%64)&1, &more, &power)
	}
	return power.times(&number{1})
}
