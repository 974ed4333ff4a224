package integers

import (
	"encoding/binary"
	"math/bits"
)

const (
	longBytes  = 8 + 4 // what is looked at of a number of eight bytes or more
	shortBytes = 8     // of a shorter one, and of what ends it

	eachByte   = 0x0101010101010101
	eachOfFour = 0x01010101
)

// quick reads numbers as long as they are of the usual kind, a minus or none and up to ten
// digits with white space behind them, as long as there is room for them, and not at the
// end of the text. It tells how many bytes those were.
func (s *scanner) quick(text []byte) (used int) {
	for {
		free := s.numbers[len(s.numbers):cap(s.numbers)]
		long, n := readLong(text[used:], free)
		short, m := readShort(text[used+long:], free[n:])
		s.numbers = s.numbers[:len(s.numbers)+n+m]
		used += long + short
		if long+short == 0 {
			return used
		}
	}
}

// readLong reads numbers of eight bytes or more, sign included, until there is another one.
// Nothing in it branches on what a number is, which could not be predicted.
func readLong(text []byte, numbers []int32) (used, n int) {
	whole := len(text)
	for len(text) >= longBytes && n < len(numbers) {
		word := binary.LittleEndian.Uint64(text) ^ '0'*eachByte
		more := binary.LittleEndian.Uint32(text[8:]) ^ '0'*eachOfFour
		// The number has eight bytes and then some before the first that is no digit.
		end := uint(bits.TrailingZeros32((more + (0x80-10)*eachOfFour | more) & (0x80 * eachOfFour)))
		behind := end / 8
		word, minus := withoutMinus(word)
		if behind > 3 || int(behind)+int(minus) > 2 || notDigits(word) != 0 {
			break
		}
		// The last eight digits, and the ones before: two at most, since a sign is 0 now.
		last := binary.LittleEndian.Uint64(text[behind:]) ^ '0'*eachByte
		if behind == 0 {
			last = word
		}
		const tens = 1 + 10<<8
		first := word << 40 << (24 - end&24) * tens >> 56
		value := int64(first*100_000_000 + eightDigits(last))
		value = (value ^ minus) - minus
		if value != int64(int32(value)) || !isSpace(text[8+behind]) {
			break
		}
		text = text[9+behind:]
		numbers[n] = int32(value)
		n++
	}
	return whole - len(text), n
}

// readShort reads numbers of less than eight bytes, sign included, until there is a longer
// one, and white space.
func readShort(text []byte, numbers []int32) (used, n int) {
	whole := len(text)
	for len(text) >= shortBytes && n < len(numbers) {
		if isSpace(text[0]) {
			text = text[1:]
			continue
		}
		word, minus := withoutMinus(binary.LittleEndian.Uint64(text) ^ '0'*eachByte)
		end := uint(bits.TrailingZeros64(notDigits(word)))
		length := end / 8
		if length >= 8 || int(length)+int(minus) < 1 || !isSpace(text[length]) {
			break
		}
		value := int64(eightDigits(word << (63 - end&63) << 8))
		text = text[length+1:]
		numbers[n] = int32((value ^ minus) - minus)
		n++
	}
	return whole - len(text), n
}

// withoutMinus has 0 in place of a minus in the first byte, and tells by -1 of it, by 0 of
// none.
func withoutMinus(word uint64) (digits uint64, minus int64) {
	minus = int64(word&0xff^('-'^'0')-1) >> 63
	return word &^ (0xff & uint64(minus)), minus
}

// notDigits has the high bit of every byte from 10 up. A carry goes to bytes behind such a
// one only.
func notDigits(word uint64) uint64 { return (word + (0x80-10)*eachByte | word) & (0x80 * eachByte) }

// eightDigits is the number whose digits are the bytes of a word, the first lowest: pairs
// of digits are put together, then pairs of those, then the two halves.
func eightDigits(word uint64) uint64 {
	word = word*10 + word>>8 // every other byte is now a number of two digits
	const pairs = 0x000000ff000000ff
	const high, low = 100 + 1000000<<32, 1 + 10000<<32
	return ((word&pairs)*high + (word>>16&pairs)*low) >> 32
}
