package integers

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// Error is bad input.
type Error struct {
	File string
	Line int // from 1
	Text string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text) }

// scanner takes a text in blocks, which may be cut anywhere.
type scanner struct {
	numbers []int32
	line    int // ends of lines in the blocks before
	// A number that is being read, where a block has ended inside of it.
	state state
	minus bool
	value int64 // without the sign; stays over the range once it is
}

type state uint8

const (
	between state = iota
	signed        // behind the sign, before any digit
	inside        // behind a digit
)

// quickBytes is how far a number is looked at by [scanner.quick]: a sign, and two words.
const quickBytes = 1 + 8 + 8

// feed takes the next block. The error has no file, and its text is what the block still
// has of the thing.
func (s *scanner) feed(block []byte) *Error {
	// A number takes at least two bytes, but for the one that the block before began.
	s.reserve(len(block)/2 + 1)
	at := 0
	for at < len(block) {
		if s.state == between {
			if at = s.quick(block, at); at == len(block) {
				break
			}
		}
		var wrong string
		if at, wrong = s.byte(block, at); wrong != "" {
			return &Error{Line: 1 + s.line + bytes.Count(block[:at], []byte{'\n'}), Text: wrong}
		}
	}
	s.line += bytes.Count(block, []byte{'\n'})
	return nil
}

// reserve makes room for n numbers more. Unlike slices.Grow it leaves new memory as it is:
// what is never used is then never there.
func (s *scanner) reserve(n int) {
	if n > cap(s.numbers)-len(s.numbers) {
		more := make([]int32, len(s.numbers), max(len(s.numbers)+n, 2*cap(s.numbers)))
		copy(more, s.numbers)
		s.numbers = more
	}
}

// end takes the end of the text.
func (s *scanner) end() *Error {
	wrong := ""
	switch s.state {
	case signed:
		wrong = notANumber([]byte(s.sign()))
	case inside:
		wrong = s.finish()
	}
	if wrong != "" {
		return &Error{Line: 1 + s.line, Text: wrong}
	}
	return nil
}

// byte goes on by one byte of the text, or stays before the one that is wrong.
func (s *scanner) byte(block []byte, at int) (next int, wrong string) {
	c := block[at]
	digit := c - '0'
	switch {
	case digit <= 9:
		if s.state == between {
			s.minus = false
		}
		s.state = inside
		s.value = min(s.value*10+int64(digit), math.MaxInt32+2)
	case s.state == inside:
		// The byte is looked at again, now as what may begin a number.
		return at, s.finish()
	case s.state == between && (c == '-' || c == '+'):
		s.state, s.minus = signed, c == '-'
	case s.state == between && isSpace(c):
	case s.state == signed:
		return at, notANumber(append([]byte(s.sign()), block[at:]...))
	default:
		return at, notANumber(block[at:])
	}
	return at + 1, ""
}

func (s *scanner) sign() string {
	if s.minus {
		return "-"
	}
	return "+"
}

// finish adds the number that has ended.
func (s *scanner) finish() string {
	v := s.value
	if s.minus {
		v = -v
	}
	s.state, s.value = between, 0
	if v != int64(int32(v)) {
		return outOfRange
	}
	s.numbers = append(s.numbers, int32(v))
	return ""
}

const eachByte = 0x0101010101010101

// quick reads numbers as long as they are of the usual kind: a minus or none, and then one
// to ten digits, white space between them, and not at the end of the block.
func (s *scanner) quick(block []byte, at int) int {
	numbers := s.numbers
	for at+quickBytes <= len(block) {
		// Most numbers are long: nothing but digits and the sign in the first eight bytes.
		// Where such a one ends is seen in the second eight, whatever its sign is.
		word := binary.LittleEndian.Uint64(block[at:at+8]) ^ '0'*eachByte
		more, m := digitsAt(block, at+8)
		if first := word & 0xff; m <= 3 && notDigits(word>>8) == 0 && (first <= 9 || first == '-'^'0') {
			minus := -int64((9 - first) >> 63) // all bits are 1 for a minus
			value := int64(eightDigits(word&^(0xff&uint64(minus))))*tenTo[m] + int64(eightDigits(more<<(64-8*m)))
			value = (value ^ minus) - minus
			if value == int64(int32(value)) {
				numbers = append(numbers, int32(value))
				at += 8 + int(m)
				if isSpace(block[at]) {
					at++
				}
				continue
			}
		}
		c := block[at]
		if isSpace(c) {
			at++
			continue
		}
		// 1 for a minus, without a branch: the signs of numbers are hard to predict.
		minus := int(((uint64(c) ^ '-') - 1) >> 63)
		digits := at + minus
		word, n := digitsAt(block, digits)
		value := int64(eightDigits(word << (64 - 8*n)))
		if n == 8 {
			more, m := digitsAt(block, digits+8)
			if m > 2 {
				break // too many for the range, or zeros before them
			}
			value = value*tenTo[m] + int64(eightDigits(more<<(64-8*m)))
			n += m
		} else if n == 0 {
			break
		}
		value = (value ^ -int64(minus)) + int64(minus)
		if value != int64(int32(value)) {
			break
		}
		numbers = append(numbers, int32(value))
		at = digits + int(n)
	}
	s.numbers = numbers
	return at
}

var tenTo = [...]int64{1, 10, 100, 1000}

// digitsAt is eight bytes less '0' each, the first lowest, and how many of them are digits
// before one that is not.
func digitsAt(block []byte, at int) (word uint64, n uint) {
	word = binary.LittleEndian.Uint64(block[at:at+8]) ^ '0'*eachByte
	return word, uint(bits.TrailingZeros64(notDigits(word))) / 8
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

func isSpace(c byte) bool { return c == ' ' || c-'\t' < 5 }

const outOfRange = "the number is not from -2147483648 to 2147483647"

// longestWord is how many bytes of what is no number are shown.
const longestWord = 20

// notANumber says so of what text begins with.
func notANumber(text []byte) string {
	var shown []byte
	for i, c := range text {
		if isSpace(c) {
			break
		}
		if i == longestWord {
			shown = append(shown, "..."...)
			break
		}
		if c < ' ' || c > '~' {
			c = '?'
		}
		shown = append(shown, c)
	}
	return `"` + string(shown) + `" is not a number`
}
